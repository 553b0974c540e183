import { OPERATIONS } from '@skyrun/contracts';
import { systemClock } from '@skyrun/kit';
import { withinLoad } from '@skyrun/testing';
import { describe, expect, test } from 'vitest';
import { desiredOf } from './testing/desired.ts';
import { TO_ZERO_AT_ONCE, types, useOrchestrators } from './testing/orchestrators.fixture.ts';

const service = { project: 'demo', service: 'web' };
const orchestrators = useOrchestrators();
const { start, runningNow } = orchestrators;

describe('a new revision', () => {
  test('proves itself with one instance, then goes to zero', async () => {
    const harness = await start();
    const web = desiredOf({ want: 'starting', template: TO_ZERO_AT_ONCE });
    harness.registry.set(web);
    await harness.until('ready', () => types(harness, 'skyrun.revision.ready').length === 1);
    expect(types(harness, 'skyrun.instance')).toEqual(['skyrun.instance.started.v1', 'skyrun.instance.ready.v1']);
    const { items } = await harness.client.call(OPERATIONS.listInstances, { params: service });
    expect(items).toMatchObject([{ state: 'ready', revisionName: 'web-00001', node: 'test', port: 8080 }]);
    harness.registry.set({ ...web, want: 'serving' });
    await harness.until('nothing runs', async () => (await orchestrators.runtime.list()).length === 0);
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
    expect(orchestrators.runtime.starts()).toBe(3);
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
    expect(await orchestrators.runtime.list()).toEqual([]);
  });
});

describe('a service at zero', () => {
  test('a hundred waiting requests start one instance, at once', async () => {
    const harness = await start();
    const web = desiredOf({ template: TO_ZERO_AT_ONCE });
    harness.registry.set(web);
    await harness.until('known', async () => (await harness.client.call(OPERATIONS.getObserved)).revisions !== null);
    await systemClock.sleep(1200);
    expect(orchestrators.runtime.starts()).toBe(0);
    await Promise.all(Array.from({ length: 100 }, () => harness.report(web, { current: 1, windowMs: 0, requests: 0 })));
    await harness.until('ready', () => types(harness, 'skyrun.instance.ready').length > 0);
    expect(orchestrators.runtime.starts()).toBe(1);
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
        scaling: { ...TO_ZERO_AT_ONCE.scaling, target: 5, targetUtilization: 1, maxScale: 4 },
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
    await harness.until('zero', async () => (await orchestrators.runtime.list()).length === 0);
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
    orchestrators.runtime.kill(first?.id ?? '', 9);
    await harness.until('two ready', () => types(harness, 'skyrun.instance.ready').length === 2);
    const failed = harness.events.find(({ type }) => type === 'skyrun.instance.failed.v1');
    expect(failed?.data).toMatchObject({ id: first?.id, reason: 'ExitedWith9', exitCode: 9, state: 'failed' });
    expect(types(harness, 'skyrun.revision.failed')).toEqual([]);
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
    orchestrators.runtime.kill(instance?.identity.instanceId ?? '', 1);
    await harness.until('lines of the second', () => found.length === 4);
    abort.abort();
    await reading;
    expect(new Set(found).size).toBe(4);
    const past: string[] = [];
    for await (const { text } of harness.client.stream(OPERATIONS.followLogs, { params: service })) past.push(text);
    expect(past).toHaveLength(4);
  });
});
