import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { silentLogger } from '@skyrun/kit';
import { freePort, postgresUrl, preparePostgres } from '@skyrun/launcher/infra';
import { createDatabase as openDatabase } from '@skyrun/postgres';
import { temporaryDirectory } from './directory.ts';
import { startServer, type TestServer } from './server.ts';

export interface TestDatabase {
  readonly url: string;
  /** Drop the database, disconnecting whoever is left in it. */
  drop(): Promise<void>;
}

export interface TestPostgres extends TestServer {
  /** The maintenance database `postgres`. */
  readonly url: string;
  /** An empty database of its own; `name` only makes it recognisable. */
  createDatabase(name?: string): Promise<TestDatabase>;
}

/**
 * A private PostgreSQL on a free port. Commits survive kill(); fsync is off, so a power failure would not be survived, unless
 * `durable` asks for the product's own settings.
 */
export async function startPostgres({ durable = false }: { durable?: boolean } = {}): Promise<TestPostgres> {
  const directory = temporaryDirectory('postgres');
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const prepared = preparePostgres({
    dataDir: join(directory.path, '..', 'data'),
    port,
    password,
    binaryCache: '/var/lib/skyrun',
    durable,
  });
  const server = await startServer('postgres', prepared, directory.path);
  const url = postgresUrl(port, password, 'postgres');
  return {
    ...server,
    url,
    createDatabase: (name = 'test') => createDatabase(url, name),
    stop: async () => {
      await server.stop();
      directory.remove();
    },
  };
}

/** Create a database on the server at `url` (its maintenance database). */
export async function createDatabase(url: string, name: string): Promise<TestDatabase> {
  const database = `${name.replaceAll(/[^a-z0-9]+/gi, '_').toLowerCase()}_${randomBytes(6).toString('hex')}`;
  await statement(url, `CREATE DATABASE ${database} TEMPLATE template0`);
  const own = new URL(url);
  own.pathname = `/${database}`;
  return { url: own.href, drop: () => statement(url, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`) };
}

async function statement(url: string, sql: string): Promise<void> {
  const database = openDatabase({
    url,
    schema: 'public',
    applicationName: 'testing',
    poolSize: 1,
    logger: silentLogger,
  });
  try {
    await database.query(sql);
  } finally {
    await database.close();
  }
}
