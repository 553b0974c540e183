import type { AnyEvent } from '@skyrun/contracts';
import { silentLogger, systemClock } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { createWorld } from '../reconcile/world.ts';
import { desiredOf } from '../testing/desired.ts';
import { instanceOf } from '../testing/world.ts';
import { createInstanceSamples } from './instance-samples.ts';

const MIB = 1024 * 1024;

test('use is told as a share of the limits, and once a minute with its spread', async () => {
  const desired = desiredOf({ template: { resources: { cpuMilli: 500, memoryMib: 100 } } });
  const { record, container } = instanceOf(desired);
  const world = createWorld([], []);
  world.desired = new Map([[desired.revision.id, desired]]);
  world.add(record, { container });
  const published: AnyEvent[] = [];
  let now = 1_700_000_000_000;
  let cpuMs = 0;
  const samples = createInstanceSamples({
    world,
    runtime: {
      stats: async () => ({ at: now, cpuMs, memoryBytes: 25 * MIB, processes: 1, receivedBytes: 0, sentBytes: 0 }),
    },
    bus: {
      async publish(events) {
        published.push(...events);
      },
    },
    clock: { ...systemClock, now: () => now },
    logger: silentLogger,
  });
  await samples.tick();
  expect(samples.latest(record.instanceId)).toBeNull();
  for (const usedMs of [2_000, 10_000, 4_000]) {
    now += 20_000;
    cpuMs += usedMs;
    await samples.tick();
  }
  expect(samples.latest(record.instanceId)).toEqual({ cpuPercent: 40, memoryPercent: 25 });
  expect(published).toHaveLength(1);
  expect(published[0]).toMatchObject({
    type: 'skyrun.instance.sampled.v1',
    data: {
      instanceId: record.instanceId,
      samples: 3,
      cpuMilli: { p50: 200, p95: 500, max: 500 },
      memoryMib: { p50: 25, p95: 25, max: 25 },
      cpuLimitMilli: 500,
      memoryLimitMib: 100,
    },
  });
});

test('one that the engine says nothing of hides no other, and is told', async () => {
  const desired = desiredOf();
  const [silent, other] = [instanceOf(desired), instanceOf(desired)];
  const world = createWorld([], []);
  world.desired = new Map([[desired.revision.id, desired]]);
  for (const { record, container } of [silent, other]) world.add(record, { container });
  let now = 1_700_000_000_000;
  const samples = createInstanceSamples({
    world,
    runtime: {
      async stats(instanceId) {
        if (instanceId === silent.record.instanceId) throw new Error('no answer');
        const cpuMs = (now - 1_700_000_000_000) / 2;
        return { at: now, cpuMs, memoryBytes: MIB, processes: 1, receivedBytes: 0, sentBytes: 0 };
      },
    },
    bus: { publish: async () => undefined },
    clock: { ...systemClock, now: () => now },
    logger: silentLogger,
  });
  for (let tick = 0; tick < 2; tick += 1) {
    await expect(samples.tick()).rejects.toThrow('no answer');
    now += 20_000;
  }
  expect(samples.latest(other.record.instanceId)?.cpuPercent).toBeGreaterThan(0);
});
