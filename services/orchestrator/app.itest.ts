import { OPERATIONS } from '@skyrun/contracts';
import { loadConfig, silentLogger, systemClock } from '@skyrun/kit';
import { testDatabase, withinLoad } from '@skyrun/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { orchestratorConfig } from './config.ts';
import { stopAllContainers } from './down/stop-all-containers.ts';
import { createMemoryRuntime, type MemoryRuntime } from './runtime/memory/memory-runtime.ts';
import { sampleProgram } from './runtime/memory/program.ts';
import { desiredOf, TEST_IMAGE } from './testing/desired.ts';
import { type Harness, type HarnessOptions, startHarness } from './testing/harness.ts';

/** To zero at once, without the rungs of the idle ladder. */
const fast = { scaling: { stableWindowSeconds: 6, scaleToZeroGraceSeconds: 1, idle: { pausedSeconds: 0 } } };
const service = { project: 'demo', service: 'web' };

let runtime: MemoryRuntime;
let options: HarnessOptions;
let drop: () => Promise<void>;
const running: Harness[] = [];

async function start(more: Partial<HarnessOptions> = {}): Promise<Harness> {
  const harness = await startHarness({ ...options, ...more });
  running.push(harness);
  return harness;
}

beforeEach(async () => {
  const database = await testDatabase('orchestrator');
  drop = () => database.drop();
  runtime = createMemoryRuntime({
    clock: systemClock,
    programs: new Map([[TEST_IMAGE, sampleProgram]]),
    importedProgram: sampleProgram,
  });
  options = {
    databaseUrl: database.url,
    runtime,
    prober: async ({ address, port }) => runtime.listens(address, port),
  };
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((harness) => harness.stop()));
  await drop();
});

const types = (harness: Harness, prefix: string) =>
  harness.events.filter(({ type }) => type.startsWith(prefix)).map(({ type }) => type);
const runningNow = async () => (await runtime.list()).filter(({ state }) => state === 'running');

describe('a new revision', () => {
  test('proves itself with one instance, then goes to zero', async () => {
    const harness = await start();
    const web = desiredOf({ want: 'starting', template: fast });
    harness.registry.set(web);
    await harness.until('ready', () => types(harness, 'skyrun.revision.ready').length === 1);
    expect(types(harness, 'skyrun.instance')).toEqual(['skyrun.instance.started.v1', 'skyrun.instance.ready.v1']);
    const { items } = await harness.client.call(OPERATIONS.listInstances, { params: service });
    expect(items).toMatchObject([{ state: 'ready', revisionName: 'web-00001', node: 'test', port: 8080 }]);
    harness.registry.set({ ...web, want: 'serving' });
    await harness.until('nothing runs', async () => (await runtime.list()).length === 0);
    await harness.until('told', () => types(harness, 'skyrun.instance').length === 4);
    expect(types(harness, 'skyrun.instance').slice(2)).toEqual([
      'skyrun.instance.draining.v1',
      'skyrun.instance.stopped.v1',
    ]);
    const decisions = await harness.client.call(OPERATIONS.listDecisions, { params: service });
    expect(decisions.items.map(({ from, to }) => [from, to])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  test('that exits each time is given up with its last words', async () => {
    const harness = await start();
    const web = desiredOf({
      want: 'starting',
      template: {
        env: [
          { name: 'EXIT_AFTER_MS', value: '5' },
          { name: 'EXIT_CODE', value: '3' },
          { name: 'LISTEN_DELAY_MS', value: 'never' },
        ],
      },
    });
    harness.registry.set(web);
    const failed = await harness.until('given up', () =>
      harness.events.find((event) => event.type === 'skyrun.revision.failed.v1'),
    );
    expect(failed.data).toMatchObject({ reason: 'ExitedWith3', revisionName: 'web-00001' });
    expect(JSON.stringify(failed.data)).toContain('hello from web-00001');
    expect(types(harness, 'skyrun.instance.failed')).toHaveLength(3);
    const observed = await harness.client.call(OPERATIONS.getObserved);
    expect(observed).toMatchObject({ instances: [], revisions: [{ state: 'failed', reason: 'ExitedWith3' }] });
    await systemClock.sleep(1500);
    expect(runtime.starts()).toBe(3);
  });

  test('whose image is missing says so', async () => {
    const harness = await start();
    harness.registry.set(desiredOf({ want: 'starting', image: 'skyrun.local/nobody/nothing:1' }));
    const failed = await harness.until('given up', () =>
      harness.events.find((event) => event.type === 'skyrun.revision.failed.v1'),
    );
    expect(failed.data).toMatchObject({ reason: 'ImageMissing' });
  });

  test('that never answers fails at its deadline', async () => {
    const harness = await start();
    harness.registry.set(
      desiredOf({
        want: 'starting',
        template: { startupProbe: { deadlineSeconds: 1 }, env: [{ name: 'LISTEN_DELAY_MS', value: 'never' }] },
      }),
    );
    const failed = await harness.until('given up', () =>
      harness.events.find((event) => event.type === 'skyrun.revision.failed.v1'),
    );
    expect(failed.data).toMatchObject({ reason: 'ProbeTimeout' });
    expect(await runtime.list()).toEqual([]);
  });
});

describe('a service at zero', () => {
  test('a hundred waiting requests start one instance, at once', async () => {
    const harness = await start();
    const web = desiredOf({ template: fast });
    harness.registry.set(web);
    await harness.until('known', async () => (await harness.client.call(OPERATIONS.getObserved)).revisions !== null);
    await systemClock.sleep(1200);
    expect(runtime.starts()).toBe(0);
    await Promise.all(Array.from({ length: 100 }, () => harness.report(web, { current: 1, windowMs: 0, requests: 0 })));
    await harness.until('ready', () => types(harness, 'skyrun.instance.ready').length > 0);
    expect(runtime.starts()).toBe(1);
  });

  test('wakes without waiting for a tick', async () => {
    const harness = await start();
    const services = ['a', 'b', 'c', 'd'].map((name) => desiredOf({ service: name }));
    harness.registry.set(...services);
    await systemClock.sleep(1200);
    const times: number[] = [];
    for (const each of services) {
      const began = systemClock.monotonic();
      await harness.report(each, { windowMs: 0, requests: 0 });
      await harness.until('ready', () =>
        harness.events.some(
          ({ type, data }) =>
            type === 'skyrun.instance.ready.v1' && 'revisionId' in data && data.revisionId === each.revision.id,
        ),
      );
      times.push(systemClock.monotonic() - began);
    }
    // The quickest: neighbours on the machine may hold up any one, but none would be quick if it waited for a tick of 1 s.
    expect(Math.min(...times)).toBeLessThan(withinLoad(300));
  });

  test('grows with the load and shrinks without a failed decision', async () => {
    const harness = await start();
    const web = desiredOf({
      template: {
        containerConcurrency: 10,
        scaling: { ...fast.scaling, target: 5, targetUtilization: 1, maxScale: 4 },
      },
    });
    harness.registry.set(web);
    await systemClock.sleep(1200);
    const load = (async () => {
      for (let second = 0; second < 4; second += 1) {
        await harness.report(web, { current: 18 });
        await systemClock.sleep(500);
      }
    })();
    await harness.until('four', async () => (await runningNow()).length === 4);
    await load;
    await harness.until('zero', async () => (await runtime.list()).length === 0);
    const metrics = await harness.client.call(OPERATIONS.getMetrics, { params: service, query: { sinceSeconds: 60 } });
    expect(metrics.points.some(({ concurrency, p50Ms }) => concurrency > 0 && p50Ms === 5)).toBe(true);
    expect(types(harness, 'skyrun.traffic.observed').length).toBeGreaterThan(2);
  });
});

describe('an instance that ends', () => {
  test('is replaced at once, and the next failures wait', async () => {
    const harness = await start();
    const web = desiredOf({ template: { scaling: { minScale: 1 } } });
    harness.registry.set(web);
    const [first] = await harness.until('one', async () => {
      const { items } = await harness.client.call(OPERATIONS.listInstances, { params: service });
      return items[0]?.state === 'ready' ? items : null;
    });
    runtime.kill(first?.id ?? '', 9);
    await harness.until('two ready', () => types(harness, 'skyrun.instance.ready').length === 2);
    const failed = harness.events.find(({ type }) => type === 'skyrun.instance.failed.v1');
    expect(failed?.data).toMatchObject({ id: first?.id, reason: 'ExitedWith9', exitCode: 9, state: 'failed' });
    expect(types(harness, 'skyrun.revision.failed')).toEqual([]);
  });
});

describe('an orchestrator that restarts', () => {
  test('adopts what runs, starts nothing twice, removes orphans', async () => {
    const first = await start();
    const web = desiredOf({ template: { scaling: { minScale: 3 } } });
    const { registry } = first;
    registry.set(web);
    await first.until('three ready', () => types(first, 'skyrun.instance.ready').length === 3);
    const before = (await runningNow()).map(({ identity }) => identity.instanceId).toSorted();
    await first.stop();
    expect(await runningNow()).toHaveLength(3);
    const [some] = await runningNow();
    if (!some) throw new Error('nothing runs');
    const orphan = { ...some.identity, instanceId: 'ins_orphan', revisionId: 'rev_gone' };
    await runtime.start({ ...orphan, image: TEST_IMAGE, env: [] });
    const second = await start({ registry });
    await second.until('the orphan is gone', async () => (await runtime.list('ins_orphan')).length === 0);
    await systemClock.sleep(1500);
    expect((await runningNow()).map(({ identity: { instanceId } }) => instanceId).toSorted()).toEqual(before);
    expect(runtime.starts()).toBe(4);
    expect(types(second, 'skyrun.instance')).toEqual([]);
  });

  test('goes on with an instance whose row was written and whose container was not', async () => {
    const first = await start();
    const web = desiredOf({ template: { scaling: { minScale: 1 } } });
    const other = desiredOf({ service: 'other', template: { scaling: { minScale: 1 } } });
    first.registry.set(other);
    await first.until('the other', () => types(first, 'skyrun.instance.ready').length === 1);
    runtime.setUnavailable(true);
    first.registry.set(other, web);
    const rows = () => first.client.call(OPERATIONS.listInstances, { params: service });
    const written = await first.until('row', async () => (await rows()).items[0]);
    await first.stop();
    runtime.setUnavailable(false);
    const second = await start({ registry: first.registry });
    const { items } = await second.until('ready', async () => {
      const page = await second.client.call(OPERATIONS.listInstances, { params: service });
      return page.items[0]?.state === 'ready' ? page : null;
    });
    expect(items.map(({ id }) => id)).toEqual([written.id]);
    expect(runtime.starts()).toBe(2);
  });

  test('what ended meanwhile is accounted for from its own times', async () => {
    const first = await start();
    const web = desiredOf({ template: { scaling: { minScale: 1 } } });
    first.registry.set(web);
    await first.until('ready', () => types(first, 'skyrun.instance.ready').length === 1);
    await first.stop();
    await systemClock.sleep(300);
    const [instance] = await runningNow();
    runtime.kill(instance?.identity.instanceId ?? '', 1);
    const [ended] = await runtime.list();
    await systemClock.sleep(300);
    const second = await start({ registry: first.registry });
    await second.until('usage', () => usageOf(second).length > 0);
    expect(usageOf(second).reduce((sum, { busyMs }) => sum + busyMs, 0)).toBe(
      (ended?.finishedAt ?? 0) - (ended?.startedAt ?? 0),
    );
  });
});

describe('usage', () => {
  test('windows of the wall clock follow each other without gap or repeat, across a restart', async () => {
    const first = await start();
    const web = desiredOf({ template: { scaling: { minScale: 1 }, resources: { cpuMilli: 500, memoryMib: 64 } } });
    const { registry, events } = first;
    registry.set(web);
    await first.until('ready', () => types(first, 'skyrun.instance.ready').length === 1);
    await first.until('a window', () => usageOf(first).length >= 1);
    await first.stop();
    const second = await start({ registry });
    await second.until('another window', () => usageOf(second).length >= 1);
    registry.set();
    await second.until('the last window', () => types(second, 'skyrun.instance.stopped').length === 1);
    const [instance] = events.flatMap((event) => (event.type === 'skyrun.instance.started.v1' ? [event.data] : []));
    const usage = [...usageOf(first), ...usageOf(second)].toSorted((a, b) =>
      a.windowStart.localeCompare(b.windowStart),
    );
    expect(usage.length).toBeGreaterThanOrEqual(3);
    expect(new Set(usage.map(({ key }) => key)).size).toBe(usage.length);
    usage.slice(1).forEach((window, index) => {
      expect(window.windowStart).toBe(usage[index]?.windowEnd);
      if (window.state === usage[index]?.state) expect(Date.parse(window.windowStart) % 10_000).toBe(0);
    });
    for (const window of usage) {
      expect(window).toMatchObject({ kind: 'lifetime', instanceId: instance?.id, cpuMilli: 500, memoryMib: 64 });
      expect(window.busyMs).toBe(Date.parse(window.windowEnd) - Date.parse(window.windowStart));
    }
    expect(usage[0]?.minInstance).toBe(true);
    const stopped = second.events.find(({ type }) => type === 'skyrun.instance.stopped.v1');
    expect(stopped?.data).toMatchObject({ endedAt: usage.at(-1)?.windowEnd });
  });
});

describe('when a part is away', () => {
  test('a silent registry changes nothing, and at first nothing is stopped for it', async () => {
    const first = await start();
    const web = desiredOf({ template: { scaling: { minScale: 1 } } });
    const { registry } = first;
    registry.set(web);
    await first.until('ready', () => types(first, 'skyrun.instance.ready').length === 1);
    await first.stop();
    registry.setDown(true);
    await start({ registry });
    await systemClock.sleep(2000);
    expect(await runningNow()).toHaveLength(1);
  });

  test('an engine that comes back is asked again, and no instance counts as failed for its absence', async () => {
    const harness = await start();
    runtime.setUnavailable(true);
    harness.registry.set(desiredOf({ template: { scaling: { minScale: 2 } } }));
    await systemClock.sleep(2500);
    runtime.setUnavailable(false);
    await harness.until('ready', () => types(harness, 'skyrun.instance.ready').length === 2);
    expect(types(harness, 'skyrun.instance.failed')).toEqual([]);
    expect(runtime.starts()).toBe(2);
  });
});

describe('down', () => {
  test('stops every container, accounts for each, and a later start brings them back', async () => {
    const first = await start();
    const web = desiredOf({ template: { scaling: { minScale: 2 } } });
    const { registry } = first;
    registry.set(web);
    await first.until('two ready', () => types(first, 'skyrun.instance.ready').length === 2);
    await first.stop();
    const stopping = {
      config: loadConfig(orchestratorConfig, {}),
      databaseUrl: options.databaseUrl,
      runtime,
      clock: systemClock,
      logger: silentLogger,
    };
    expect(await stopAllContainers(stopping)).toEqual({ stopped: 2, accounted: true });
    expect(await runtime.list()).toEqual([]);
    const second = await start({ registry });
    await second.until('two ready again', () => types(second, 'skyrun.instance.ready').length === 2);
    const stopped = second.events.filter(({ type }) => type === 'skyrun.instance.stopped.v1');
    expect(stopped.map(({ data }) => data)).toMatchObject([
      { reason: 'PlatformStopped' },
      { reason: 'PlatformStopped' },
    ]);
    const accounted = usageOf(second).filter(({ busyMs }) => busyMs > 0);
    expect(new Set(accounted.map(({ instanceId }) => instanceId)).size).toBe(2);
  });

  test('without the store it stops them all the same, and the next start accounts for them', async () => {
    const first = await start();
    const web = desiredOf({ template: { scaling: { minScale: 1 } } });
    const { registry } = first;
    registry.set(web);
    await first.until('ready', () => types(first, 'skyrun.instance.ready').length === 1);
    await first.stop();
    const stopping = {
      config: loadConfig(orchestratorConfig, {}),
      databaseUrl: 'postgres://nobody@127.0.0.1:1/none',
      runtime,
      clock: systemClock,
      logger: silentLogger,
    };
    expect(await stopAllContainers(stopping)).toEqual({ stopped: 1, accounted: false });
    const [ended] = await runtime.list();
    expect(ended?.state).toBe('exited');
    const second = await start({ registry });
    await second.until('ready again', () => types(second, 'skyrun.instance.ready').length === 1);
    const busy = usageOf(second).reduce((sum, { busyMs }) => sum + busyMs, 0);
    expect(busy).toBe((ended?.finishedAt ?? 0) - (ended?.startedAt ?? 0));
  });
});

describe('logs', () => {
  test('of the past and of what comes, of instances that ran, run and will run', async () => {
    const harness = await start();
    const web = desiredOf({ template: { scaling: { minScale: 1 } } });
    harness.registry.set(web);
    await harness.until('ready', () => types(harness, 'skyrun.instance.ready').length === 1);
    const found: string[] = [];
    const abort = new AbortController();
    const reading = (async () => {
      const stream = harness.client.stream(OPERATIONS.followLogs, {
        params: service,
        query: { follow: 'true' },
        signal: abort.signal,
      });
      for await (const { instanceId, text } of stream) found.push(`${instanceId} ${text}`);
    })().catch((error: unknown) => {
      if (!abort.signal.aborted) throw error;
    });
    await harness.until('first lines', () => found.length === 2);
    const [instance] = await runningNow();
    runtime.kill(instance?.identity.instanceId ?? '', 1);
    await harness.until('lines of the second', () => found.length === 4);
    abort.abort();
    await reading;
    expect(new Set(found).size).toBe(4);
    const past: string[] = [];
    for await (const { text } of harness.client.stream(OPERATIONS.followLogs, { params: service })) past.push(text);
    expect(past).toHaveLength(4);
  });
});

function usageOf(harness: Harness) {
  return harness.events.flatMap((event) => (event.type === 'skyrun.usage.recorded.v1' ? [event.data] : []));
}
