import { OPERATIONS } from '@skyrun/contracts';
import { newId, silentLogger, systemClock } from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { testDatabase } from '@skyrun/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { instanceSpec, newRecord } from './reconcile/records.ts';
import { createMemoryRuntime, type MemoryRuntime } from './runtime/memory/memory-runtime.ts';
import { sampleProgram } from './runtime/memory/program.ts';
import { createMetricsStore } from './store/metrics-store.ts';
import { desiredOf, TEST_IMAGE } from './testing/desired.ts';
import { type Harness, startHarness } from './testing/harness.ts';
import { createTrafficIntake } from './traffic/intake.ts';
import { restoreTraffic } from './traffic/restore.ts';
import { lastBoundary, USAGE_WINDOW_MS } from './usage/windows.ts';

let db: Database;
let runtime: MemoryRuntime;
let start: (registry?: Harness['registry']) => Promise<Harness>;
let stop: () => Promise<void>;

beforeEach(async () => {
  const database = await testDatabase('handover');
  const { url: databaseUrl } = database;
  db = createDatabase({ url: databaseUrl, schema: 'orchestrator', applicationName: 'test', logger: silentLogger });
  runtime = createMemoryRuntime({ clock: systemClock, programs: new Map([[TEST_IMAGE, sampleProgram]]) });
  const prober = async ({ address, port }: { address: string; port: number }) => runtime.listens(address, port);
  const running: Harness[] = [];
  start = async (registry) => {
    const harness = await startHarness({ databaseUrl, runtime, prober, ...(registry ? { registry } : {}) });
    running.push(harness);
    return harness;
  };
  stop = async () => {
    await Promise.all(running.map((harness) => harness.stop()));
    await db.close();
    await database.drop();
  };
});
afterEach(() => stop());

const params = { project: 'demo', service: 'web' };
const leads = async () => {
  const { rows } = await db.query('SELECT 1 FROM leases WHERE expires_at > now()');
  return rows.length === 1;
};

test('what a gateway tells the one that stands by reaches the leader: requests are counted once, and waiting ones get an instance', async () => {
  const leader = await start();
  await leader.until('it leads', leads);
  const standby = await start(leader.registry);
  const web = desiredOf();
  leader.registry.set(web);
  // An activation, to the one that cannot start anything.
  await standby.report(web, { windowMs: 0, requests: 0, waitingMs: 5 });
  await leader.until('an instance', async () => (await leader.instances('demo', 'web')).items[0]?.state === 'ready');
  expect(runtime.starts()).toBe(1);
  let sent = 0;
  for (const [index, harness] of [standby, leader, standby, standby, leader].entries()) {
    await harness.report(web, { current: 1, requests: 10 + index });
    sent += 10 + index;
  }
  const counted = async () => {
    const { points, stepMs } = await leader.client.call(OPERATIONS.getMetrics, { params, query: { sinceSeconds: 60 } });
    return Math.round(points.reduce((sum, { requestsPerSecond }) => sum + (requestsPerSecond * stepMs) / 1000, 0));
  };
  await leader.until('every request', async () => (await counted()) >= sent);
  expect(await counted()).toBe(sent);
}, 180_000);

test('a container that an earlier leader still made is seen and taken away at once, not at the next look at all', async () => {
  const leader = await start();
  await leader.until('it leads', leads);
  const web = desiredOf({ template: { scaling: { minScale: 1 } } });
  leader.registry.set(web);
  await leader.until('an instance', async () => (await leader.instances('demo', 'web')).items[0]?.state === 'ready');
  // All are looked at right after each boundary; one that just passed leaves time until the next.
  await leader.until('a boundary passed', () => {
    const since = systemClock.now() - lastBoundary(systemClock.now());
    return since > 1_000 && since < 2_500;
  });
  const boundary = lastBoundary(systemClock.now()) + USAGE_WINDOW_MS;
  const record = newRecord(web, { instanceId: newId('instance', systemClock), node: 'test', now: systemClock.now() });
  let steps = 0;
  const made = runtime.start(instanceSpec(web, record), () => {
    steps += 1;
    if (steps > 1) throw new Error('the lease ran out');
  });
  await expect(made).rejects.toThrow('the lease ran out');
  await leader.until('it is gone', async () => (await runtime.list(record.instanceId)).length === 0);
  expect(systemClock.now()).toBeLessThan(boundary);
  expect(runtime.starts()).toBe(1);
}, 180_000);

test('a leader that takes over reads the window back, and takes nothing away while it knows too little', async () => {
  const first = await start();
  await first.until('it leads', leads);
  const web = desiredOf({ template: { containerConcurrency: 10, scaling: { maxScale: 6 } } });
  first.registry.set(web);
  const revisionId = web.revision.id;
  const ready = async (harness: Harness) =>
    (await harness.instances('demo', 'web')).items.filter(({ state }) => state === 'ready').length;
  // 40 at once of target 7 per instance: six, and no more where two reports overlap.
  const loadUntil = async (what: string, done: () => Promise<boolean>) => {
    let next = 0;
    await first.until(what, async () => {
      const now = systemClock.monotonic();
      if (now >= next) {
        next = now + 1000;
        await first.report(web, { current: 40 });
      }
      return done();
    });
  };
  await loadUntil('six', async () => (await ready(first)) === 6);
  const stored = async () =>
    (await createMetricsStore(db).readAll(0)).filter(({ tally }) => tally.concurrencyMs > 0).length;
  await loadUntil('two steps of the window', async () => (await stored()) >= 2);
  await first.stop();

  const intake = createTrafficIntake({ windowMs: () => 60_000 });
  await restoreTraffic(createMetricsStore(db), intake, systemClock.now());
  expect(intake.average(revisionId, systemClock.now(), 60_000)).toBeGreaterThan(5);
  expect(intake.lastActiveAt(revisionId)).toBeGreaterThan(0);

  const second = await start(first.registry);
  await second.until('it leads', async () => (await leads()) && (await ready(second)) === 6);
  const decided = async () => (await second.client.call(OPERATIONS.listDecisions, { params })).items;
  const before = (await decided()).length;
  // No gateway has told it anything, for longer than a panic window and several judgements: silence is not idleness.
  await systemClock.sleep(8_000);
  expect((await decided()).slice(0, -before)).toEqual([]);
  expect(await ready(second)).toBe(6);
  expect(runtime.starts()).toBe(6);
}, 180_000);
