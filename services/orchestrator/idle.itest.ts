import { OPERATIONS } from '@skyrun/contracts';
import { systemClock } from '@skyrun/kit';
import { testDatabase } from '@skyrun/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryRuntime, type MemoryRuntime } from './runtime/memory/memory-runtime.ts';
import { sampleProgram } from './runtime/memory/program.ts';
import { desiredOf, TEST_IMAGE } from './testing/desired.ts';
import { type Harness, startHarness } from './testing/harness.ts';

const scaling = { stableWindowSeconds: 6, scaleToZeroGraceSeconds: 1 };

let runtime: MemoryRuntime;
let harness: Harness;
let stop: () => Promise<void>;

beforeEach(async () => {
  const database = await testDatabase('orchestrator');
  runtime = createMemoryRuntime({ clock: systemClock, programs: new Map([[TEST_IMAGE, sampleProgram]]) });
  const prober = async ({ address, port }: { address: string; port: number }) => runtime.listens(address, port);
  harness = await startHarness({ databaseUrl: database.url, runtime, prober });
  stop = async () => {
    await harness.stop();
    await database.drop();
  };
});
afterEach(() => stop());

const instance = async () => (await harness.instances('demo', 'web')).items[0];
const inState = (state: string) =>
  harness.until(state, async () => {
    const found = await instance();
    return found?.state === state && found;
  });
const frozen = (is: boolean) =>
  harness.until(`frozen ${is}`, async () => (await runtime.list())[0]?.paused === (is || undefined));
const told = () =>
  harness.events.flatMap(({ type }) => (type.startsWith('skyrun.instance.') ? [type.split('.')[2] ?? ''] : []));

describe('the idle ladder', () => {
  test('goes down rung by rung, and a paused instance is woken by one question', async () => {
    const template = { scaling: { ...scaling, idle: { pausedSeconds: 5, stoppedSeconds: 10 } } };
    const web = desiredOf({ template });
    harness.registry.set(web);
    await harness.report(web, { windowMs: 0, requests: 0 });
    const { id } = await inState('ready');
    await harness.report(web, { current: 0, requests: 1 });
    await inState('paused');
    await frozen(true);
    const revisionId = web.revision.id;
    const { resumed } = await harness.client.call(OPERATIONS.wakeRevision, { body: { revisionId } });
    expect(resumed).toMatchObject([{ id, state: 'ready' }]);
    await frozen(false);
    const ready = await inState('ready');
    expect(ready.stateVersion).toBe(resumed[0]?.version);
    await inState('paused');
    await inState('parked');
    expect((await runtime.list())[0]?.state).toBe('exited');
    // Until the step that parked it has ended, a new one would be started in its place.
    await systemClock.sleep(1_000);
    await harness.report(web, { windowMs: 0, requests: 0 });
    expect((await inState('ready')).id).toBe(id);
    await harness.until('nothing is kept', async () => (await runtime.list()).length === 0);
    const words = ['started', 'ready', 'paused', 'resumed', 'paused', 'parked', 'started', 'ready', 'paused', 'parked'];
    await harness.until('told', () => told().includes('stopped'));
    expect(told()).toEqual([...words, 'stopped']);
  });

  test('billing can tell paused time from running time, and none is lost or told twice', async () => {
    const template = { scaling: { ...scaling, idle: { pausedSeconds: 1 } } };
    const web = desiredOf({ template });
    harness.registry.set(web);
    await harness.report(web, { windowMs: 0, requests: 0 });
    const { id } = await inState('ready');
    await harness.report(web, { current: 0, requests: 1 });
    await harness.until('gone', async () => (await runtime.list()).length === 0);
    await harness.until('told', () => told().includes('stopped'));
    const usage = harness.events.flatMap(({ type, data }) =>
      type === 'skyrun.usage.recorded.v1' && 'windowStart' in data && 'key' in data && data.instanceId === id
        ? [data]
        : [],
    );
    const states = usage.map((window) => ('state' in window ? window.state : null));
    expect(states.toSorted()).toEqual(expect.arrayContaining(['paused', 'running']));
    const spans = usage
      .map(({ windowStart, windowEnd }) => [Date.parse(windowStart), Date.parse(windowEnd)] as const)
      .toSorted(([a], [b]) => a - b);
    expect(spans.slice(1).map(([start]) => start)).toEqual(spans.slice(0, -1).map(([, end]) => end));
  });

  test('asked for an instance where none is paused, it says so', async () => {
    const web = desiredOf({ template: { scaling } });
    harness.registry.set(web);
    const body = { revisionId: web.revision.id };
    expect(await harness.client.call(OPERATIONS.wakeRevision, { body })).toEqual({ resumed: [] });
  });

  test('a warm pool stands by, and is filled again when it was used', async () => {
    const web = desiredOf({
      template: { scaling: { ...scaling, minScale: 1, warmPool: 1, target: 1, targetUtilization: 1 } },
    });
    harness.registry.set(web);
    const states = async () => (await harness.instances('demo', 'web')).items.map(({ state }) => state).toSorted();
    await harness.until('one runs and one is warm', async () => (await states()).join() === 'paused,ready');
    await frozenOne();
    const starts = runtime.starts();
    await harness.report(web, { current: 2 });
    await harness.until('two run and one is warm', async () => (await states()).join() === 'paused,ready,ready');
    expect(runtime.starts()).toBe(starts + 1);
  });
});

const frozenOne = () =>
  harness.until('one is frozen', async () => (await runtime.list()).some(({ paused }) => paused === true));

describe('health', () => {
  const fastProbe = { kind: 'exec', command: ['check'], periodSeconds: 1, failureThreshold: 2 };

  test('a failing readiness probe takes an instance out of the route, without ending it', async () => {
    const web = desiredOf({ template: { scaling: { minScale: 1 }, readinessProbe: fastProbe } });
    harness.registry.set(web);
    const { id } = await inState('ready');
    runtime.setHealthy(id, false);
    expect(await inState('unready')).toMatchObject({ id, reason: 'ReadinessProbeFailed' });
    expect(runtime.starts()).toBe(1);
    runtime.setHealthy(id, true);
    expect((await inState('ready')).id).toBe(id);
    await harness.until('told', () => told().length === 4);
    expect(told()).toEqual(['started', 'ready', 'unready', 'ready']);
    expect(runtime.starts()).toBe(1);
  });

  test('a failing liveness probe ends an instance, and another takes its place', async () => {
    const web = desiredOf({ template: { scaling: { minScale: 1 }, livenessProbe: fastProbe } });
    harness.registry.set(web);
    const first = await inState('ready');
    runtime.setHealthy(first.id, false);
    const failed = await harness.until('failed', () =>
      harness.events.find(({ type }) => type === 'skyrun.instance.failed.v1'),
    );
    expect(failed.data).toMatchObject({ id: first.id, reason: 'LivenessProbeFailed' });
    await harness.until('another', async () => {
      const found = await instance();
      return found?.state === 'ready' && found.id !== first.id;
    });
  });

  test('a revision that worked and then ends again and again is in a crash loop, with growing pauses', async () => {
    const web = desiredOf({ template: { scaling: { minScale: 1 } } });
    harness.registry.set(web);
    const ended = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const { id } = await harness.until('ready', async () => {
        const found = await instance();
        return found?.state === 'ready' && !ended.has(found.id) && found;
      });
      ended.add(id);
      runtime.kill(id, 3);
    }
    const looping = await harness.until('in a loop', async () => {
      const { revisions } = await harness.client.call(OPERATIONS.getObserved);
      return revisions.find(({ reason }) => reason === 'CrashLoopBackOff');
    });
    expect(looping).toMatchObject({ state: 'ready' });
    expect(looping.message).toMatch(/^3 instances ended one after the other; .* exited with code 3/s);
  });
});
