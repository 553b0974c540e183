import { systemClock as clock, silentLogger } from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleted } from '../events.fixture.ts';
import { partitionOf } from '../log/partitions.ts';
import { appendToLog, dropPartition, ensurePartitions, partitionNames } from './append.ts';
import { lastPosition, readLog } from './read.ts';
import type { Db, EventsTables } from './tables.ts';

describe('the event log in PostgreSQL', () => {
  let database: Database;
  let drop: () => Promise<void>;
  const now = clock.now();
  const inTransaction = <T>(work: (db: Db) => Promise<T>) =>
    database.transaction((tx) => work(tx.kysely<EventsTables>()));
  const append = (events: Parameters<typeof appendToLog>[1]) => inTransaction((db) => appendToLog(db, events));
  const everything = () => inTransaction((db) => readLog(db, { after: 0n, until: null, project: null, limit: 10_000 }));

  beforeAll(async () => {
    const made = await testDatabase('event_log');
    ({ drop } = made);
    database = createDatabase({ url: made.url, schema: 'events', applicationName: 'log-test', logger: silentLogger });
    await database.migrate(new URL('../migrations/', import.meta.url));
    await inTransaction((db) => ensurePartitions(db, [partitionOf(now), partitionOf(now - 86_400_000)]));
  });
  afterAll(async () => {
    await database.close();
    await drop();
  });

  it('adds an event once: within a batch, in a later one, and from two writers at once', async () => {
    const [first, second, third] = ['a', 'b', 'c'].map((mark) => deleted('log', mark, now));
    if (!first || !second || !third) throw new Error('unreachable');
    expect(await append([first, second, first])).toBe(2);
    expect(await append([second, first])).toBe(0);
    const counts = await Promise.all([append([third]), append([third]), append([third])]);
    expect(counts.toSorted()).toEqual([0, 0, 1]);
    expect((await everything()).map(({ event }) => event)).toEqual([first, second, third]);
  });

  it('shows positions in ascending order, however many write at once', async () => {
    let seen = await inTransaction(lastPosition);
    const late: bigint[] = [];
    const known = new Set<bigint>();
    let writing = true;
    const watch = (async () => {
      while (writing) {
        const fresh = await inTransaction((db) =>
          readLog(db, { after: 0n, until: null, project: 'busy', limit: 10_000 }),
        );
        const newest = fresh.at(-1)?.position ?? seen;
        // What turns up below a position that was seen before would be missed by whoever goes on from there.
        late.push(...fresh.filter(({ position }) => position <= seen && !known.has(position)).map((e) => e.position));
        for (const { position } of fresh) known.add(position);
        if (newest > seen) seen = newest;
      }
    })();
    await Promise.all(
      Array.from({ length: 6 }, async (_, writer) => {
        for (let n = 0; n < 25; n += 1) {
          await append(Array.from({ length: 1 + (n % 5) }, (_, i) => deleted('busy', `w${writer}-${n}-${i}`, now)));
        }
      }),
    );
    writing = false;
    await watch;
    expect(known.size).toBeGreaterThan(100);
    expect(late).toEqual([]);
  });

  it('makes partitions again without harm, and drops one with its events', async () => {
    const yesterday = partitionOf(now - 86_400_000);
    await append([deleted('old', 'x', now - 86_400_000)]);
    await inTransaction((db) => ensurePartitions(db, [yesterday]));
    expect(await inTransaction(partitionNames)).toContain(yesterday.name);
    await inTransaction((db) => dropPartition(db, yesterday.name));
    expect(await inTransaction(partitionNames)).toEqual([partitionOf(now).name]);
    expect((await everything()).some(({ event }) => event.project === 'old')).toBe(false);
  });
});
