import { silentLogger, systemClock } from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Tables } from '../store/tables.ts';
import type { ImageEngine } from './image-engine.ts';
import { createImageIntents, intendRemoval } from './image-intents.ts';

let db: Database;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await testDatabase('registry');
  drop = database.drop;
  db = createDatabase({ url: database.url, schema: 'registry', applicationName: 'intents-test', logger: silentLogger });
  await db.migrate(new URL('../migrations/', import.meta.url));
});
afterAll(async () => {
  await db.close();
  await drop();
});

/** An engine that removes when it is told to. */
function slowEngine() {
  const removal = Promise.withResolvers<void>();
  let asked = 0;
  const engine: ImageEngine = {
    import: () => Promise.resolve(),
    remove() {
      asked += 1;
      return removal.promise;
    },
  };
  return { engine, asked: () => asked, removed: removal.resolve };
}

const intentsWith = (engine: ImageEngine) =>
  createImageIntents({ db, engine, clock: systemClock, logger: silentLogger });
const kept = (reference: string) =>
  db.kysely<Tables>().selectFrom('image_intents').select('kind').where('reference', '=', reference).execute();
const intend = (reference: string) =>
  db.transaction((tx) => intendRemoval(tx.kysely<Tables>(), reference, systemClock));

test('while the engine removes, no transaction is open, nobody removes too, and an import of it waits', async () => {
  const reference = 'skyrun.local/demo/slow:1';
  await intend(reference);
  const slow = slowEngine();
  const sweeping = intentsWith(slow.engine).sweep(reference);
  await expect.poll(slow.asked, { timeout: 30_000 }).toBe(1);
  const { rows } = await db.query<{ open: string }>(
    `SELECT count(*)::text AS open FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'`,
  );
  expect(rows[0]?.open).toBe('0');
  const other = intentsWith(slow.engine);
  await other.sweep(reference);
  expect(slow.asked()).toBe(1);
  const announcing = other.announce(reference);
  expect(await kept(reference)).toEqual([{ kind: 'remove' }]);
  slow.removed();
  await sweeping;
  const announcement = await announcing;
  expect(await kept(reference)).toEqual([{ kind: 'import' }]);
  await announcement.abandon();
  await other.sweep(reference);
  expect(slow.asked()).toBe(2);
  expect(await kept(reference)).toEqual([]);
});

test('a removal that failed is free to be tried again at once', async () => {
  const reference = 'skyrun.local/demo/failing:1';
  await intend(reference);
  const remove = () => Promise.reject(new Error('the engine is away'));
  await intentsWith({ import: () => Promise.resolve(), remove }).sweep(reference);
  expect(await kept(reference)).toEqual([{ kind: 'remove' }]);
  const working = slowEngine();
  working.removed();
  await intentsWith(working.engine).sweep(reference);
  expect(working.asked()).toBe(1);
  expect(await kept(reference)).toEqual([]);
});

test('an import that is announced keeps its image from an older removal', async () => {
  const reference = 'skyrun.local/demo/again:1';
  const { engine, asked } = slowEngine();
  const intents = intentsWith(engine);
  const announcement = await intents.announce(reference);
  await intend(reference);
  await intents.sweep(reference);
  expect(asked()).toBe(0);
  expect(await kept(reference)).toEqual([{ kind: 'import' }]);
  await db.transaction((tx) => announcement.fulfil(tx.kysely<Tables>()));
  expect(await kept(reference)).toEqual([]);
});
