import { OPERATIONS } from '@skyrun/contracts';
import { loadConfig, silentLogger, systemClock } from '@skyrun/kit';
import { describe, expect, test } from 'vitest';
import { orchestratorConfig } from './config.ts';
import { stopAllContainers } from './down/stop-all-containers.ts';
import { desiredOf, TEST_IMAGE } from './testing/desired.ts';
import { types, usageOf, useOrchestrators } from './testing/orchestrators.fixture.ts';

const service = { project: 'demo', service: 'web' };
const orchestrators = useOrchestrators();
const { start, runningNow } = orchestrators;
const stopAll = (databaseUrl: string) =>
  stopAllContainers({
    config: loadConfig(orchestratorConfig, {}),
    databaseUrl,
    runtime: orchestrators.runtime,
    clock: systemClock,
    logger: silentLogger,
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
    await orchestrators.runtime.start({ ...orphan, image: TEST_IMAGE, env: [] });
    const second = await start({ registry });
    await second.until('the orphan is gone', async () => (await orchestrators.runtime.list('ins_orphan')).length === 0);
    await systemClock.sleep(1500);
    expect((await runningNow()).map(({ identity: { instanceId } }) => instanceId).toSorted()).toEqual(before);
    expect(orchestrators.runtime.starts()).toBe(4);
    expect(types(second, 'skyrun.instance')).toEqual([]);
  });

  test('goes on with an instance whose row was written and whose container was not', async () => {
    const first = await start();
    const web = desiredOf({ template: { scaling: { minScale: 1 } } });
    const other = desiredOf({ service: 'other', template: { scaling: { minScale: 1 } } });
    first.registry.set(other);
    await first.until('the other', () => types(first, 'skyrun.instance.ready').length === 1);
    orchestrators.runtime.setUnavailable(true);
    first.registry.set(other, web);
    const rows = () => first.client.call(OPERATIONS.listInstances, { params: service });
    const written = await first.until('row', async () => (await rows()).items[0]);
    await first.stop();
    orchestrators.runtime.setUnavailable(false);
    const second = await start({ registry: first.registry });
    const { items } = await second.until('ready', async () => {
      const page = await second.client.call(OPERATIONS.listInstances, { params: service });
      return page.items[0]?.state === 'ready' ? page : null;
    });
    expect(items.map(({ id }) => id)).toEqual([written.id]);
    expect(orchestrators.runtime.starts()).toBe(2);
  });

  test('what ended meanwhile is accounted for from its own times', async () => {
    const first = await start();
    const web = desiredOf({ template: { scaling: { minScale: 1 } } });
    first.registry.set(web);
    await first.until('ready', () => types(first, 'skyrun.instance.ready').length === 1);
    await first.stop();
    await systemClock.sleep(300);
    const [instance] = await runningNow();
    orchestrators.runtime.kill(instance?.identity.instanceId ?? '', 1);
    const [ended] = await orchestrators.runtime.list();
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
    orchestrators.runtime.setUnavailable(true);
    harness.registry.set(desiredOf({ template: { scaling: { minScale: 2 } } }));
    await systemClock.sleep(2500);
    orchestrators.runtime.setUnavailable(false);
    await harness.until('ready', () => types(harness, 'skyrun.instance.ready').length === 2);
    expect(types(harness, 'skyrun.instance.failed')).toEqual([]);
    expect(orchestrators.runtime.starts()).toBe(2);
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
    expect(await stopAll(orchestrators.databaseUrl)).toEqual({ stopped: 2, accounted: true });
    expect(await orchestrators.runtime.list()).toEqual([]);
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
    expect(await stopAll('postgres://nobody@127.0.0.1:1/none')).toEqual({ stopped: 1, accounted: false });
    const [ended] = await orchestrators.runtime.list();
    expect(ended?.state).toBe('exited');
    const second = await start({ registry });
    await second.until('ready again', () => types(second, 'skyrun.instance.ready').length === 1);
    const busy = usageOf(second).reduce((sum, { busyMs }) => sum + busyMs, 0);
    expect(busy).toBe((ended?.finishedAt ?? 0) - (ended?.startedAt ?? 0));
  });
});
