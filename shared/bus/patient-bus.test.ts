import type { AnyEvent } from '@skyrun/contracts';
import { isoTime, silentLogger, systemClock } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { unavailable } from './errors.ts';
import type { EventBus } from './event-bus.ts';
import { createMemoryBus, MemoryBroker } from './memory-bus.ts';
import { patientBus } from './patient-bus.ts';
import { DEFAULT_RETRY } from './retry.ts';

const types = ['skyrun.usage.lost.v1'];
const event: AnyEvent = {
  specversion: '1.0',
  id: 'evt_1',
  source: '/skyrun/test',
  type: 'skyrun.usage.lost.v1',
  subject: 'gateways/1',
  time: isoTime(0),
  datacontenttype: 'application/json',
  sequence: 1,
  data: { gateway: '1', from: isoTime(0), until: isoTime(0) },
};

/** A bus whose broker comes when it is told to. */
function lateBus() {
  const inner = createMemoryBus({
    clock: systemClock,
    logger: silentLogger,
    retry: DEFAULT_RETRY,
    broker: new MemoryBroker(),
  });
  const { promise: come, resolve } = Promise.withResolvers<void>();
  let here = false;
  const bus: EventBus = {
    ...inner,
    ready: () => here,
    async declareGroup(options) {
      if (!here) throw unavailable('not connected');
      await inner.declareGroup(options);
    },
    async subscribe(options) {
      await come;
      return inner.subscribe(options);
    },
  };
  const comes = () => {
    here = true;
    resolve();
  };
  return { bus, comes };
}

test('starts without a broker: publishing is refused, and nothing is published before the groups exist', async () => {
  const { bus: late, comes } = lateBus();
  const bus = patientBus({ bus: late, groups: [{ group: 'g', types }], clock: systemClock, logger: silentLogger });
  const handled: string[] = [];
  await bus.subscribe({
    group: 'g',
    types,
    handler: async ({ id }) => {
      handled.push(id);
    },
  });
  expect(bus.ready()).toBe(false);
  await expect(bus.publish([event])).rejects.toMatchObject({ code: 'bus.unavailable' });
  comes();
  await expect.poll(() => bus.ready(), { timeout: 10_000 }).toBe(true);
  await bus.publish([event]);
  await expect.poll(() => handled, { timeout: 10_000 }).toEqual(['evt_1']);
  await bus.close();
  await expect(bus.publish([event])).rejects.toMatchObject({ code: 'bus.closed' });
});

test('a subscription that was closed while it waited is closed when it comes', async () => {
  const { bus: late, comes } = lateBus();
  const bus = patientBus({ bus: late, groups: [{ group: 'g', types }], clock: systemClock, logger: silentLogger });
  const handled: string[] = [];
  const handler = async ({ id }: AnyEvent) => {
    handled.push(id);
  };
  const subscription = await bus.subscribe({ group: 'g', types, handler });
  await subscription.close();
  comes();
  await expect.poll(() => bus.ready(), { timeout: 10_000 }).toBe(true);
  await bus.publish([event]);
  await systemClock.sleep(20);
  expect(handled).toEqual([]);
  await bus.close();
});

test('closes while the broker is still away', async () => {
  const { bus: late } = lateBus();
  const bus = patientBus({ bus: late, groups: [{ group: 'g', types }], clock: systemClock, logger: silentLogger });
  await bus.subscribe({ group: 'g', types, handler: async () => undefined });
  await bus.close();
  await bus.close();
});
