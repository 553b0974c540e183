import { silentLogger } from '@skyrun/kit';
import { startPostgres } from '@skyrun/testing';
import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { createDatabase, type Database } from './index.ts';

let database: Database | undefined;
let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await database?.close();
  await stop?.();
});

test('PostgreSQL dies while a connection is lent out and idle: the borrower is told, the process lives', async () => {
  const postgres = await startPostgres();
  stop = postgres.stop;
  const { url } = await postgres.createDatabase('lent');
  database = createDatabase({ url, schema: 'lent', applicationName: 'lent', logger: silentLogger });
  const probe = sql`select 1`;
  const borrowed = database
    .kysely<unknown>()
    .connection()
    .execute(async (connection) => {
      await probe.execute(connection);
      await postgres.kill();
      // Long enough for the broken connection to be noticed while no query runs on it.
      await new Promise((resolve) => setTimeout(resolve, 300));
      await probe.execute(connection);
    });
  await expect(borrowed).rejects.toThrow();
  await postgres.restart();
  const again = await sql<{ one: number }>`select 1 as one`.execute(database.kysely<unknown>());
  expect(again.rows).toEqual([{ one: 1 }]);
});
