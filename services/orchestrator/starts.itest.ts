import { OPERATIONS } from '@skyrun/contracts';
import { systemClock } from '@skyrun/kit';
import { testDatabase } from '@skyrun/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryRuntime, type MemoryRuntime } from './runtime/memory/memory-runtime.ts';
import { sampleProgram } from './runtime/memory/program.ts';
import { desiredOf, TEST_IMAGE } from './testing/desired.ts';
import { type Harness, startHarness } from './testing/harness.ts';

let runtime: MemoryRuntime;
let harness: Harness;
let stop: () => Promise<void>;

beforeEach(async () => {
  const database = await testDatabase('starts');
  runtime = createMemoryRuntime({
    clock: systemClock,
    programs: new Map([[TEST_IMAGE, sampleProgram]]),
    startMs: 20,
  });
  const prober = async ({ address, port }: { address: string; port: number }) => runtime.listens(address, port);
  harness = await startHarness({ databaseUrl: database.url, runtime, prober });
  stop = async () => {
    await harness.stop();
    await database.drop();
  };
});
afterEach(() => stop());

const params = { project: 'demo', service: 'web' };
const instance = async () => (await harness.instances('demo', 'web')).items[0];
const starts = () => harness.client.call(OPERATIONS.listStarts, { params });
const inState = (state: string) =>
  harness.until(state, async () => {
    const found = await instance();
    return found?.state === state && found;
  });

describe('the starts of a service', () => {
  test('each rung of the ladder is told with its phases, up to the first byte that a gateway saw', async () => {
    const scaling = {
      stableWindowSeconds: 6,
      scaleToZeroGraceSeconds: 1,
      idle: { pausedSeconds: 4, stoppedSeconds: 60 },
    };
    const web = desiredOf({ template: { scaling } });
    harness.registry.set(web);
    await harness.report(web, { windowMs: 0, requests: 0, waitingMs: 40 });
    const { id: instanceId } = await inState('ready');
    await harness.report(web, { current: 0, requests: 1, coldStarts: [{ instanceId, totalMs: 500 }] });
    const first = await harness.until('the first byte', async () => {
      const [start] = (await starts()).items;
      return start?.phases.firstByteMs !== undefined && start;
    });
    expect(first).toMatchObject({ instanceId, kind: 'created', revisionName: web.revision.name });
    const { queueMs = 0, createMs, startMs, probeMs, firstByteMs } = first.phases;
    expect(queueMs).toBeGreaterThanOrEqual(39);
    expect(startMs).toBeGreaterThanOrEqual(20);
    expect(firstByteMs).toBe(Math.max(0, 500 - queueMs - createMs - startMs - probeMs));
    const answered = await harness.until('the event', () =>
      harness.events.find(({ type }) => type === 'skyrun.instance.answered.v1'),
    );
    expect(answered).toMatchObject({ data: { id: instanceId, startPhases: first.phases } });

    await inState('paused');
    await harness.until('frozen', async () => (await runtime.list())[0]?.paused);
    const body = { revisionId: web.revision.id, waitingMs: 7 };
    await harness.client.call(OPERATIONS.wakeRevision, { body });
    const resumed = await harness.until('the resumed start', async () => {
      const [start] = (await starts()).items;
      return start?.kind === 'resumed' && start;
    });
    expect(resumed.phases).toMatchObject({ createMs: 0, probeMs: 0 });
    expect(resumed.phases.queueMs).toBeGreaterThanOrEqual(7);
    expect(resumed.phases.firstByteMs).toBeUndefined();
    await harness.report(web, { current: 0, requests: 1, coldStarts: [{ instanceId, totalMs: 60 }] });
    await harness.until('its first byte', async () => (await starts()).items[0]?.phases.firstByteMs !== undefined);

    await inState('parked');
    // Until the step that parked it has ended, a new one would be started in its place.
    await systemClock.sleep(1_000);
    await harness.report(web, { windowMs: 0, requests: 0 });
    await inState('ready');
    expect((await starts()).items.map(({ kind }) => kind)).toEqual(['restarted', 'resumed', 'created']);

    const { kinds } = await harness.client.call(OPERATIONS.summarizeStarts, { params });
    expect(kinds.map(({ kind, starts: count }) => [kind, count])).toEqual([
      ['created', 1],
      ['restarted', 1],
      ['resumed', 1],
    ]);
    const created = new Map(kinds[0]?.phases.map((phase) => [phase.phase, phase]));
    expect(created.get('total')).toMatchObject({
      count: 1,
      p50Ms: Math.max(500, queueMs + createMs + startMs + probeMs),
    });
  });

  test('are listed in pages, and of one revision where asked', async () => {
    const scaling = { minScale: 3 };
    const web = desiredOf({ template: { scaling } });
    harness.registry.set(web);
    await harness.until('three starts', async () => (await starts()).items.length === 3);
    const page = await harness.client.call(OPERATIONS.listStarts, { params, query: { limit: 2 } });
    const cursor = page.nextCursor ?? '';
    const rest = await harness.client.call(OPERATIONS.listStarts, { params, query: { limit: 2, cursor } });
    const ids = [...page.items, ...rest.items].map(({ instanceId }) => instanceId);
    expect(new Set(ids).size).toBe(3);
    expect(rest.nextCursor).toBeNull();
    const none = await harness.client.call(OPERATIONS.listStarts, { params, query: { revision: 'web-00009' } });
    expect(none.items).toEqual([]);
    // Nobody waited for them.
    expect(page.items[0]?.phases.queueMs).toBeUndefined();
  });
});
