import { type Clock, ManualClock, newId, silentLogger, systemClock } from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { testDatabase } from '@skyrun/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newRecord } from '../reconcile/records.ts';
import { createMemoryRuntime, type MemoryRuntime } from '../runtime/memory/memory-runtime.ts';
import { sampleProgram } from '../runtime/memory/program.ts';
import { acquireLease, assertTerm, LEASE_NAME, renewLease, resignLease } from '../store/lease.ts';
import { createLedger } from '../store/ledger.ts';
import { createReads } from '../store/reads.ts';
import { desiredOf, TEST_IMAGE } from '../testing/desired.ts';
import { type Harness, startHarness } from '../testing/harness.ts';
import { createLeadership, type Term } from './leadership.ts';

let db: Database;
let databaseUrl: string;
let drop: () => Promise<void>;

beforeEach(async () => {
  const database = await testDatabase('leadership');
  databaseUrl = database.url;
  db = createDatabase({ url: database.url, schema: 'orchestrator', applicationName: 'test', logger: silentLogger });
  await db.migrate(new URL('../migrations/', import.meta.url));
  drop = async () => {
    await db.close();
    await database.drop();
  };
});

afterEach(() => drop());

const request = (holder: string, ttlMs = 60_000) => ({ name: LEASE_NAME, holder, ttlMs });

describe('the lease', () => {
  test('has one holder; its terms only grow', async () => {
    const first = await acquireLease(db, request('a'));
    expect(first).toBe(1n);
    expect(await acquireLease(db, request('b'))).toBeNull();
    expect(await renewLease(db, request('a'), 1n)).toBe(true);
    await resignLease(db, request('a'), 1n);
    expect(await renewLease(db, request('a'), 1n)).toBe(false);
    expect(await acquireLease(db, request('b'))).toBe(2n);
    await resignLease(db, request('a'), 1n);
    expect(await renewLease(db, request('b'), 2n)).toBe(true);
  });

  test('that nobody renews can be taken once it has run out', async () => {
    await acquireLease(db, request('dead', 2_000));
    expect(await acquireLease(db, request('b'))).toBeNull();
    await expect.poll(() => acquireLease(db, request('b'))).toBe(2n);
  });

  test('of ten that ask at once, one gets it', async () => {
    const terms = await Promise.all(Array.from({ length: 10 }, (_, index) => acquireLease(db, request(`p${index}`))));
    expect(terms.filter((term) => term !== null)).toEqual([1n]);
  });

  test('of a process that falls silent in the middle of a write can be taken all the same', async () => {
    const term = (await acquireLease(db, request('stopped', 2_000))) ?? 0n;
    const { promise: over, resolve: goOn } = Promise.withResolvers<void>();
    const writing = db.transaction(async (tx) => {
      await assertTerm(tx, LEASE_NAME, term);
      await over;
      await tx.query(`DELETE FROM revisions`);
    });
    const refused = expect(writing).rejects.toThrow();
    await expect.poll(() => acquireLease(db, request('b'))).toBe(term + 1n);
    goOn();
    await refused;
  });

  test('a write of a term that is over takes no effect', async () => {
    const term = (await acquireLease(db, request('a'))) ?? 0n;
    const ledger = createLedger({ db, clock: systemClock, term });
    const record = () =>
      newRecord(desiredOf(), { instanceId: newId('instance', systemClock), node: 'test', now: systemClock.now() });
    await ledger.write({ insert: record() });
    await resignLease(db, request('a'), term);
    await expect(ledger.write({ insert: record() })).rejects.toMatchObject({ name: 'LeaseLostError' });
    await acquireLease(db, request('b'));
    await expect(ledger.write({ insert: record() })).rejects.toMatchObject({ name: 'LeaseLostError' });
    expect(await createReads(db).activeInstances()).toHaveLength(1);
  });
});

describe('leading', () => {
  function candidate(holder: string, ttlMs = 3_000) {
    const terms: Term[] = [];
    const leadership = createLeadership({
      db,
      clock: systemClock,
      logger: silentLogger,
      holder,
      ttlMs,
      lead: (term) => {
        terms.push(term);
        return new Promise((resolve) => term.signal.addEventListener('abort', () => resolve(), { once: true }));
      },
    });
    return { leadership, terms };
  }

  test('survives renewals, ends with a stop, and hands over at once', async () => {
    const a = candidate('a');
    const b = candidate('b');
    a.leadership.start();
    await expect.poll(() => a.terms.length).toBe(1);
    b.leadership.start();
    // Longer than a lease that nobody renews.
    await systemClock.sleep(3_500);
    expect([a.terms.length, b.terms.length]).toEqual([1, 0]);
    expect(a.terms[0]?.signal.aborted).toBe(false);
    await a.leadership.stop();
    expect(a.terms[0]?.signal.aborted).toBe(true);
    await expect.poll(() => b.terms.length).toBe(1);
    await b.leadership.stop();
    await b.leadership.stop();
  });

  test('ends when the lease is taken away', async () => {
    const a = candidate('a');
    a.leadership.start();
    await expect.poll(() => a.terms.length).toBe(1);
    await db.query(`UPDATE leases SET holder = 'thief', term = term + 1, expires_at = now() + interval '1 hour'`);
    await expect.poll(() => a.terms[0]?.signal.aborted).toBe(true);
    await a.leadership.stop();
  });

  test('ends by its own clock when the database falls silent, before another may begin', async () => {
    const clock = new ManualClock();
    const signals: AbortSignal[] = [];
    let silent = false;
    const quiet: Database = {
      ...db,
      kysely: <Tables>() => {
        if (silent) throw new Error('the database is away');
        return db.kysely<Tables>();
      },
    };
    const leadership = createLeadership({
      db: quiet,
      clock,
      logger: silentLogger,
      holder: 'a',
      ttlMs: 2_000,
      lead: ({ signal }) => {
        signals.push(signal);
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      },
    });
    leadership.start();
    await expect.poll(() => signals.length).toBe(1);
    silent = true;
    await clock.advance(1_400);
    expect(signals[0]?.aborted).toBe(false);
    await clock.advance(600);
    expect(signals[0]?.aborted).toBe(true);
    await Promise.all([leadership.stop(), clock.advance(1)]);
  });

  /** A leader whose process stands still now and then: time goes on by the clock, and no timer runs. */
  async function startStill(asked: (question: number) => number = () => 0) {
    const manual = new ManualClock();
    const sleeps: number[] = [];
    const terms: Term[] = [];
    let still = 0;
    let questions = 0;
    const clock: Clock = {
      now: () => manual.now() + still,
      monotonic: () => manual.monotonic() + still,
      sleep(ms, signal) {
        sleeps.push(ms);
        return manual.sleep(ms, signal);
      },
      setTimeout: (ms, fn) => manual.setTimeout(ms, fn),
    };
    const slow: Database = {
      ...db,
      kysely: <Tables>() => {
        questions += 1;
        still += asked(questions);
        return db.kysely<Tables>();
      },
    };
    const leadership = createLeadership({
      db: slow,
      clock,
      logger: silentLogger,
      holder: 'a',
      // The database's own time goes on as it does, however busy the machine is.
      ttlMs: 600_000,
      lead: (term) => {
        terms.push(term);
        return new Promise((resolve) => term.signal.addEventListener('abort', () => resolve(), { once: true }));
      },
    });
    leadership.start();
    await expect.poll(() => terms.length).toBe(1);
    return {
      sleeps,
      advance: (ms: number) => manual.advance(ms),
      /** Whether the term holds at a time since the start. */
      holdsAt(at: number): boolean {
        still = at - manual.monotonic() + start;
        try {
          terms[0]?.assertHeld();
          return true;
        } catch {
          return false;
        }
      },
      stop: () => Promise.all([leadership.stop(), manual.advance(1)]),
    };
  }
  const start = new ManualClock().monotonic();

  test('is over by the clock before any timer has said so', async () => {
    const leader = await startStill();
    expect([leader.holdsAt(449_999), leader.holdsAt(450_000)]).toEqual([true, false]);
    await leader.stop();
  });

  test('counts a renewal from when it was asked for, however late the answer comes', async () => {
    // The first question is for the lease itself; the answer to the second takes 100 s.
    const leader = await startStill((question) => (question === 2 ? 100_000 : 0));
    await leader.advance(150_000);
    await expect.poll(() => leader.sleeps).toEqual([150_000, 150_000]);
    expect([leader.holdsAt(599_999), leader.holdsAt(600_000)]).toEqual([true, false]);
    await leader.stop();
  });

  test('a stop before a start is no error', async () => {
    const a = candidate('a');
    await a.leadership.stop();
    a.leadership.start();
    await systemClock.sleep(50);
    expect(a.terms).toEqual([]);
  });
});

describe('two orchestrators', () => {
  let runtime: MemoryRuntime;
  const running: Harness[] = [];
  const start = async (more: { registry?: Harness['registry'] } = {}) => {
    const prober = async ({ address, port }: { address: string; port: number }) => runtime.listens(address, port);
    const harness = await startHarness({ databaseUrl, runtime, prober, ...more });
    running.push(harness);
    return harness;
  };

  beforeEach(() => {
    runtime = createMemoryRuntime({ clock: systemClock, programs: new Map([[TEST_IMAGE, sampleProgram]]) });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((harness) => harness.stop()));
  });

  test('start each instance once, and the second goes on when the first is gone', async () => {
    const first = await start();
    const { registry } = first;
    const second = await start({ registry });
    const web = desiredOf({ template: { scaling: { minScale: 3 } } });
    registry.set(web);
    await first.until('three', async () => (await runtime.list()).length === 3);
    await first.stop();
    const two = { ...web, revision: { ...web.revision, template: { ...web.revision.template } } };
    two.revision.template.scaling = { ...web.revision.template.scaling, minScale: 5 };
    registry.set(two);
    await second.until('five', async () => (await runtime.list()).length === 5);
    await systemClock.sleep(500);
    expect(runtime.starts()).toBe(5);
  });

  test('a leader that was killed is replaced when its lease has run out, and not before', async () => {
    await acquireLease(db, request('killed', 4_000));
    const harness = await start();
    harness.registry.set(desiredOf({ template: { scaling: { minScale: 1 } } }));
    const overdue = async () => {
      const { rows } = await db.query(`SELECT 1 FROM leases WHERE holder = 'killed' AND expires_at > now()`);
      return rows.length === 0;
    };
    let early = false;
    await harness.until('one', async () => {
      const started = (await runtime.list()).length === 1;
      early ||= started && !(await overdue());
      return started;
    });
    expect(early).toBe(false);
  });
});
