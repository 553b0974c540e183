import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ServerProcess } from './server.ts';

export interface RedisOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly password: string;
  /** Append-only file, synced every second: a killed server loses nothing, a power failure at most one second. */
  readonly aof: boolean;
}

/** Write the configuration and say how to run a private redis-server with it. */
export function prepareRedis(options: RedisOptions): ServerProcess {
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'redis.conf');
  writeFileSync(
    file,
    [
      'bind 127.0.0.1',
      `port ${options.port}`,
      `requirepass ${options.password}`,
      // Relative to the working directory, because redis.conf splits a path at its spaces.
      'dir .',
      `appendonly ${options.aof ? 'yes' : 'no'}`,
      'appendfsync everysec',
      'save ""',
      'daemonize no',
      'loglevel notice',
      // The bus bounds its streams itself; evicting keys behind its back would lose events.
      'maxmemory-policy noeviction',
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  return {
    command: 'redis-server',
    args: ['redis.conf'],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C' },
    cwd: dataDir,
    account: null,
    deathSignal: 'SIGTERM',
    stopSignal: 'SIGTERM',
    stopGraceMs: 10_000,
    ready: { kind: 'redis', port: options.port },
    readyWithinMs: 60_000,
  };
}

export function redisUrl(port: number, password: string): string {
  return `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}`;
}
