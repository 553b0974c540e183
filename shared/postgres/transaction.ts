import { backoff, type Clock } from '@skyrun/kit';
import type { Kysely, PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import { isRetryable } from './errors.ts';
import { kyselyOver } from './kysely.ts';
import type { Queryable, QueryResult } from './queryable.ts';

/** Everything done through it is committed together or not at all. Not usable after the callback has ended. */
export interface Transaction extends Queryable {
  kysely<Tables>(): Kysely<Tables>;
  /** Like `query`, for what runs often: PostgreSQL reads and plans `sql` once per connection. The name stands for this text alone. */
  prepared<Row extends object>(name: string, sql: string, parameters: unknown[]): Promise<QueryResult<Row>>;
  /** Tells this process's relay, once it is committed, that there is something to send. */
  outboxGrew(): void;
}

export interface TransactionOptions {
  /** PostgreSQL's own default if absent: read committed. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  /** Tries in all on serialization failure or deadlock; 5 by default. The callback must bear being run again. */
  readonly attempts?: number;
  /** On a connection kept for this, one at a time, instead of behind everything that waits for one of the pool. */
  readonly aside?: boolean;
}

/** Runs `work` in a transaction of its own; a serialization failure or deadlock runs it again, after a jittered pause. */
export async function runTransaction<Result>(
  pool: pg.Pool,
  clock: Clock,
  work: (tx: Transaction) => Promise<Result>,
  { isolation, attempts = 5 }: TransactionOptions,
  onOutboxGrown: () => void,
): Promise<Result> {
  const delay = backoff({ baseMs: 5, maxMs: 200 });
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryTransaction(pool, work, isolation, onOutboxGrown);
    } catch (error) {
      if (!isRetryable(error) || attempt >= attempts) throw error;
    }
    await clock.sleep(delay(attempt));
  }
}

async function tryTransaction<Result>(
  pool: pg.Pool,
  work: (tx: Transaction) => Promise<Result>,
  isolation: TransactionOptions['isolation'],
  onOutboxGrown: () => void,
): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  let grown = false;
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query(isolation ? `begin isolation level ${isolation}` : 'begin');
    const tx = transactionOn(client, () => {
      grown = true;
    });
    const result = await work(tx);
    await client.query('commit');
    if (grown) onOutboxGrown();
    return result;
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => {
      broken ??= rollbackError;
    });
    throw error;
  } finally {
    client.off('error', onError);
    // A connection whose state is unknown must not go back to the pool.
    client.release(broken);
  }
}

function transactionOn(client: pg.PoolClient, outboxGrew: () => void): Transaction {
  const borrowed = withoutRelease(client);
  return {
    query: (sql, parameters) => client.query(sql, parameters),
    kysely: <Tables>() => kyselyOver<Tables>(() => Promise.resolve(borrowed)),
    prepared: (name, text, values) => client.query({ name, text, values }),
    outboxGrew,
  };
}

/** Kysely gives its client back after each query; this one stays with the transaction. */
function withoutRelease(client: pg.PoolClient): PostgresPoolClient {
  return new Proxy(client, {
    get(target, property) {
      if (property === 'release') return () => undefined;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
