import type { AnyEvent, EventDraft } from '@skyrun/contracts';
import { silentLogger, systemClock } from '@skyrun/kit';
import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { appendEvents, createDatabase, createOutboxRelay, type Database, type EventPublisher, once } from './index.ts';
import { createOutboxQueue } from './outbox-queue.ts';
import { upkeep } from './upkeep.ts';

const WHEN = '2026-01-01T00:00:00.000Z';
const draft = (gateway: string): EventDraft => ({
  type: 'skyrun.usage.lost.v1',
  subject: `gateways/${gateway}`,
  data: { gateway, from: WHEN, until: WHEN },
});

/** Keeps what was published; `before` and `after` may fail as a killed relay does. */
class RecordingBus implements EventPublisher {
  readonly published: AnyEvent[] = [];
  before: () => Promise<void> = async () => undefined;
  after: () => Promise<void> = async () => undefined;

  async publish(events: readonly AnyEvent[]): Promise<void> {
    await this.before();
    this.published.push(...events);
    await this.after();
  }
}

describe('outbox and inbox', () => {
  let url: string;
  let drop: () => Promise<void>;
  let db: Database;

  beforeAll(async () => {
    ({ url, drop } = await testDatabase('outbox'));
    db = createDatabase({ url, schema: 'registry', applicationName: 'outbox', logger: silentLogger });
    await db.migrate(new URL('./fixtures/migrations/', import.meta.url));
  });
  afterAll(async () => {
    await db.close();
    await drop();
  });
  beforeEach(async () => {
    await db.query('truncate outbox, inbox, event_sequence, things');
  });

  const append = (...gateways: string[]) =>
    db.transaction((tx) => appendEvents(tx, 'registry', gateways.map(draft), systemClock));
  const relayTo = (bus: EventPublisher, batchSize = 200) =>
    createOutboxRelay({ db, bus, clock: systemClock, logger: silentLogger, batchSize });
  const unsent = async () => (await db.query('select 1 from outbox where sent_at is null')).rows.length;

  it('numbers each subject from 1 and writes nothing when the transaction fails', async () => {
    const events = await append('a', 'b', 'a');
    expect(events.map(({ subject, sequence, source }) => [subject, sequence, source])).toEqual([
      ['gateways/a', 1, '/skyrun/registry'],
      ['gateways/b', 1, '/skyrun/registry'],
      ['gateways/a', 2, '/skyrun/registry'],
    ]);
    const failing = db.transaction(async (tx) => {
      await appendEvents(tx, 'registry', [draft('a')], systemClock);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect((await append('a')).map(({ sequence }) => sequence)).toEqual([3]);
    expect(await unsent()).toBe(4);
  });

  it('refuses an event that does not fit, and with it the transaction', async () => {
    const bad = { ...draft('a'), data: { gateway: 'a', from: 'yesterday', until: WHEN } };
    await expect(
      db.transaction(async (tx) => {
        await tx.query(`insert into things (name) values ('x')`);
        await appendEvents(tx, 'registry', [bad], systemClock);
      }),
    ).rejects.toMatchObject({ name: 'InvalidEventError', problem: 'invalid_data' });
    expect((await db.query('select 1 from things')).rows).toEqual([]);
  });

  it('keeps the order of each subject under concurrent transactions', async () => {
    const bus = new RecordingBus();
    const relay = relayTo(bus, 7);
    await relay.start();
    const names = ['a', 'b', 'c'];
    const writer = async (seed: number) => {
      for (let round = 0; round < 20; round += 1) {
        const first = names[(seed + round) % 3] ?? 'a';
        const second = names[(seed + round * 2) % 3] ?? 'b';
        await append(first, second);
      }
    };
    await Promise.all([0, 1, 2, 3, 4, 5].map(writer));
    await expect.poll(() => bus.published.length).toBe(240);
    await relay.stop();
    for (const name of names) {
      const sequences = bus.published.filter(({ subject }) => subject === `gateways/${name}`).map((e) => e.sequence);
      expect(sequences).toEqual(sequences.map((_, index) => index + 1));
    }
  });

  it('is woken by the commit, not by the poll', async () => {
    const bus = new RecordingBus();
    const relay = relayTo(bus);
    await relay.start();
    await append('warm-up');
    await expect.poll(() => bus.published.length).toBe(1);
    const latencies: number[] = [];
    for (let round = 0; round < 15; round += 1) {
      const arrived = Promise.withResolvers<void>();
      bus.after = async () => arrived.resolve();
      await append('a');
      const start = performance.now();
      await arrived.promise;
      latencies.push(performance.now() - start);
    }
    await relay.stop();
    const median = latencies.sort((a, b) => a - b)[7];
    // The poll alone would make it 500 ms.
    expect(median).toBeLessThan(250);
  });

  it('loses nothing and marks nothing when the broker refuses, and sends it later', async () => {
    const bus = new RecordingBus();
    let refusals = 3;
    bus.before = async () => {
      if (refusals > 0) {
        refusals -= 1;
        throw new Error('broker away');
      }
    };
    await append('a', 'b');
    const relay = relayTo(bus);
    await relay.start();
    await expect.poll(() => bus.published.length).toBe(2);
    await relay.stop();
    expect(await unsent()).toBe(0);
  });

  it('lets one relay work at a time, and another take over', async () => {
    let inside = 0;
    let most = 0;
    const bus = new RecordingBus();
    bus.before = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await systemClock.sleep(5);
    };
    bus.after = async () => {
      inside -= 1;
    };
    const relays = [relayTo(bus, 2), relayTo(bus, 2), relayTo(bus, 2)];
    await Promise.all(relays.map((relay) => relay.start()));
    for (let round = 0; round < 10; round += 1) await append('a', 'b', 'a');
    await relays[0]?.stop();
    for (let round = 0; round < 10; round += 1) await append('a', 'b', 'a');
    await expect.poll(() => bus.published.length).toBe(60);
    await Promise.all(relays.map((relay) => relay.stop()));
    expect(most).toBe(1);
    expect(new Set(bus.published.map(({ id }) => id)).size).toBe(60);
  });

  it('marks an event once, even when two transactions handle it at the same time', async () => {
    const [event] = await append('a');
    if (!event) throw new Error('no event');
    const effect = () =>
      db.transaction(async (tx) => {
        if (!(await once(tx, 'tally', event))) return false;
        await tx.query(`insert into things (name, count) values ('n', 1)
          on conflict (name) do update set count = things.count + 1`);
        return true;
      });
    const results = await Promise.all([effect(), effect(), effect()]);
    expect(results.filter(Boolean)).toHaveLength(1);
    expect((await db.query<{ count: number }>('select count from things')).rows).toEqual([{ count: 1 }]);
    expect(await db.transaction((tx) => once(tx, 'another', event))).toBe(true);
  });

  it('forgets the mark when the effect fails, so that it can be done again', async () => {
    const [event] = await append('a');
    if (!event) throw new Error('no event');
    const failing = db.transaction(async (tx) => {
      await once(tx, 'tally', event);
      throw new Error('effect failed');
    });
    await expect(failing).rejects.toThrow('effect failed');
    expect(await db.transaction((tx) => once(tx, 'tally', event))).toBe(true);
  });

  it('sends what is committed after a higher number was sent already', async () => {
    const bus = new RecordingBus();
    const relay = relayTo(bus, 2);
    await relay.start();
    const begun = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const slow = db.transaction(async (tx) => {
      await appendEvents(tx, 'registry', [draft('slow')], systemClock);
      begun.resolve();
      await release.promise;
    });
    await begun.promise;
    for (let round = 0; round < 12; round += 1) await append('a', 'b');
    await expect.poll(() => bus.published.length).toBe(24);
    release.resolve();
    await slow;
    await append('slow');
    await expect.poll(() => bus.published.length).toBe(26);
    await relay.stop();
    const late = bus.published.filter(({ subject }) => subject === 'gateways/slow').map(({ sequence }) => sequence);
    expect(late).toEqual([1, 2]);
    expect(await unsent()).toBe(0);
  });

  it('reads from behind what was sent: rows that are put back by hand are seen by a new relay only', async () => {
    const bus = new RecordingBus();
    const relay = relayTo(bus, 5);
    await relay.start();
    for (let round = 0; round < 20; round += 1) await append('a');
    await expect.poll(() => bus.published.length).toBe(20);
    await db.query('update outbox set sent_at = null where id = (select min(id) from outbox)');
    await append('b');
    await expect.poll(() => bus.published.length).toBe(21);
    await relay.stop();
    expect(await unsent()).toBe(1);
    const next = relayTo(bus, 5);
    await next.start();
    await expect.poll(() => bus.published.length).toBe(22);
    await next.stop();
  });

  it('empties the next part of the outbox only when all of it is sent, and only old marks of the inbox', async () => {
    const nextSlot = '((floor(extract(epoch from now()) / 3600)::bigint + 1) % 3)';
    const put = (sent: string) =>
      db.query(`insert into outbox (slot, event_id, event, sent_at) values (${nextSlot}, 'x', '{}', ${sent})`);
    const kept = async () => (await db.query('select 1 from outbox')).rows.length;
    await append('now');
    await put('now()');
    await put('null');
    await db.query(`insert into inbox values ('c', 's', 'old', now() - interval '91 days'), ('c', 's', 'new', now())`);
    await upkeep(db, silentLogger);
    expect(await kept()).toBe(3);
    expect((await db.query('select event_id from inbox')).rows).toEqual([{ event_id: 'new' }]);
    await db.query(`update outbox set sent_at = now() where event_id = 'x'`);
    await upkeep(db, silentLogger);
    expect(await kept()).toBe(1);
  });

  it('leaves the next part alone while somebody uses it', async () => {
    const nextSlot = '((floor(extract(epoch from now()) / 3600)::bigint + 1) % 3)';
    await db.query(`insert into outbox (slot, event_id, event, sent_at) values (${nextSlot}, 'x', '{}', now())`);
    await db.transaction(async (tx) => {
      await tx.query('select * from outbox');
      await upkeep(db, silentLogger);
    });
    expect((await db.query('select 1 from outbox')).rows).toHaveLength(1);
  });

  it('lets one relay claim at a time, and tells PostgreSQL to end a session that stands still with the claim', async () => {
    await db.transaction(async (tx) => {
      const queue = createOutboxQueue(10);
      expect(await queue.claim(tx)).toMatchObject({ busy: false });
      const { rows } = await tx.query('show idle_in_transaction_session_timeout');
      expect(rows).toEqual([{ idle_in_transaction_session_timeout: '30s' }]);
      expect(await db.transaction((other) => createOutboxQueue(10).claim(other))).toMatchObject({ busy: true });
    });
  });

  it('tolerates stop before start, and stopping twice', async () => {
    const relay = relayTo(new RecordingBus());
    await relay.stop();
    await relay.start();
    await relay.stop();
  });
});
