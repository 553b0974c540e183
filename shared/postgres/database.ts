import { type Clock, type Logger, systemClock } from '@skyrun/kit';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { PostgresError } from './errors.ts';
import { createListener, type Unlisten } from './listener.ts';
import { migrate } from './migrate.ts';
import type { Queryable } from './queryable.ts';
import { runTransaction, type Transaction, type TransactionOptions } from './transaction.ts';

/** One service's schema in one PostgreSQL database. */
export interface Database extends Queryable {
  readonly schema: string;
  kysely<Tables>(): Kysely<Tables>;
  transaction<Result>(work: (tx: Transaction) => Promise<Result>, options?: TransactionOptions): Promise<Result>;
  /**
   * Creates the schema, the outbox and inbox, then runs the folder's `NNNN_name.sql` that have not run yet, in order.
   * @throws PostgresError `postgres.migration_changed`, `_unknown`, `_name`, `_failed`
   */
  migrate(folder: URL): Promise<void>;
  /**
   * Calls `fn` for every NOTIFY on the channel, and once with an empty payload after each reconnection, as notifications
   * may have been missed. Resolves when listening, or at once if the database is away.
   */
  listen(channel: string, fn: (payload: string) => void): Promise<Unlisten>;
  /** Calls `fn` after every transaction of this object that has put events into the outbox. Returns how to end that. */
  onOutboxGrown(fn: () => void): () => void;
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
  /** May be called twice. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly url: string;
  /** Lower case letters, digits and `_`; becomes the search path of every connection. */
  readonly schema: string;
  readonly applicationName: string;
  /** Most connections at once, without the one that listens and the relay's; 10 by default. */
  readonly poolSize?: number;
  readonly logger: Logger;
  readonly clock?: Clock;
}

/** Milliseconds to wait for a connection of the pool. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Opens nothing yet: connections are made when first needed. @throws PostgresError `postgres.schema_name` */
export function createDatabase(options: DatabaseOptions): Database {
  const { url, schema, applicationName, poolSize = 10, logger, clock = systemClock } = options;
  if (!/^[a-z][a-z0-9_]{0,40}$/.test(schema)) {
    throw new PostgresError('postgres.schema_name', `schema ${JSON.stringify(schema)}: expected a-z, 0-9 and _`);
  }
  const connection = {
    connectionString: url,
    application_name: applicationName,
    options: `-c search_path=${schema}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  };
  const poolOf = (max: number) => {
    const pool = new pg.Pool({ ...connection, max });
    // Without a listener an idle connection that dies would end the process.
    pool.on('error', (error) => logger.warn({ error }, 'an idle connection to PostgreSQL was lost'));
    // The pool looks after idle connections only; one that dies while it is lent out, between two queries, has nobody else.
    pool.on('connect', (client) => {
      client.on('error', (error) => logger.debug({ error }, 'a connection to PostgreSQL was lost while in use'));
    });
    return pool;
  };
  const pool = poolOf(poolSize);
  const aside = poolOf(1);
  const listener = createListener({ connection, logger, clock });
  const dialect = new PostgresDialect({ pool });
  let closed: Promise<void> | undefined;
  const relays = new Set<() => void>();
  const outboxGrown = () => {
    for (const tell of relays) tell();
  };

  const closeAll = async () => {
    await listener.close();
    await Promise.all([pool.end(), aside.end()]);
  };

  return {
    schema,
    query: (sql, parameters) => pool.query(sql, parameters),
    kysely: <Tables>() => new Kysely<Tables>({ dialect }),
    transaction: (work, given = {}) => runTransaction(given.aside ? aside : pool, clock, work, given, outboxGrown),
    migrate: (folder) => migrate({ pool, schema, folder, logger }),
    listen: (channel, fn) => listener.listen(channel, fn),
    onOutboxGrown(fn) {
      relays.add(fn);
      return () => relays.delete(fn);
    },
    async ping() {
      await pool.query('select 1');
    },
    close() {
      closed ??= closeAll();
      return closed;
    },
  };
}
