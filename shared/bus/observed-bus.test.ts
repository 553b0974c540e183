import type { FlowObserved } from '@skyrun/contracts';
import { ManualClock, silentLogger, systemClock } from '@skyrun/kit';
import { expect, it, vi } from 'vitest';
import type { EventBus } from './event-bus.ts';
import { createMemoryBus, MemoryBroker } from './memory-bus.ts';
import { observeBus } from './observed-bus.ts';

const SOURCE = '/skyrun/identity';
const created = (name: string, sequence: number) =>
  ({
    specversion: '1.0',
    id: `evt-${name}`,
    source: SOURCE,
    type: 'team.shop.order.placed.v1',
    subject: `orders/${name}`,
    time: '2026-01-01T00:00:00.000Z',
    datacontenttype: 'application/json',
    project: 'shop',
    sequence,
    data: {},
  }) as const;

it('says what a group handled, how long it took and how much failed, and no more after it has closed', async () => {
  const clock = new ManualClock();
  const retry = { maxAttempts: 2, baseMs: 0, maxMs: 0, isTransient: () => false };
  const broker = new MemoryBroker();
  const memory = (): EventBus => createMemoryBus({ clock: systemClock, logger: silentLogger, retry, broker });
  const [mine, other] = [memory(), memory()];
  const bus = observeBus({ bus: mine, clock, logger: silentLogger, project: 'shop' });
  const told: FlowObserved[] = [];
  await other.subscribe({
    group: 'map',
    types: ['skyrun.flow.observed.v1'],
    handler: async (event) => {
      if (event.type === 'skyrun.flow.observed.v1') told.push(event.data);
    },
  });
  let handled = 0;
  const subscription = await bus.subscribe({
    group: 'mailer',
    types: ['team.shop.*'],
    handler: async (event) => {
      handled += 1;
      await clock.advance(3);
      if (event.id === 'evt-bad') throw new Error('no');
    },
  });
  await vi.waitUntil(() => told.length > 0);
  expect(told[0]).toMatchObject({ group: 'mailer', project: 'shop', types: ['team.shop.*'], flows: [] });
  await bus.publish([created('a', 0), created('b', 0), created('bad', 0)]);
  await vi.waitUntil(() => handled === 4);
  await vi.waitUntil(async () => {
    await clock.advance(5_000);
    return told.some(({ flows }) => flows.length > 0);
  });
  const [flow] = told.flatMap(({ flows }) => flows);
  expect(flow).toMatchObject({
    source: SOURCE,
    type: 'team.shop.order.placed.v1',
    project: 'shop',
    handled: 4,
    failed: 2,
  });
  expect(flow?.totalMs).toBeGreaterThanOrEqual(12);
  await subscription.close();
  const before = told.length;
  await clock.advance(20_000);
  await bus.close();
  expect(told.length).toBe(before);
  await other.close();
});
