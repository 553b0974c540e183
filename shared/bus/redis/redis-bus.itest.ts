import { type Clock, ManualClock, silentLogger, systemClock } from '@skyrun/kit';
import { startRedis, type TestRedis } from '@skyrun/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busConformance } from '../conformance/conformance.ts';
import { interleaved, lost } from '../conformance/workbench.ts';
import { createBus } from '../create-bus.ts';
import type { EventBus } from '../event-bus.ts';
import { DEFAULT_RETRY } from '../retry.ts';
import { createRedisBus } from './redis-bus.ts';

let server: TestRedis;
let raw: Redis;

beforeAll(async () => {
  server = await startRedis({ aof: true });
  raw = new Redis(server.url, { protocol: 2 });
  raw.on('error', () => undefined);
});
afterAll(async () => {
  raw.disconnect();
  await server.stop();
});

busConformance('redis', () => ({
  connect: (namespace, retry) =>
    createBus({ kind: 'redis', url: server.url, namespace, retry, clock: systemClock, logger: silentLogger }),
  inject: async (namespace, _type, body) => {
    await raw.xadd(`${namespace}:events`, '*', 'e', body);
  },
  async restart() {
    await server.kill();
    await systemClock.sleep(300);
    await server.restart();
  },
}));

describe('redis streams', () => {
  const open = (namespace: string, staleMs = 1_000, clock: Clock = systemClock): EventBus =>
    createRedisBus({
      url: server.url,
      namespace,
      clock,
      logger: silentLogger,
      retry: DEFAULT_RETRY,
      staleMs,
    });
  const whenReady = async (bus: EventBus) => {
    await expect.poll(() => bus.ready()).toBe(true);
    return bus;
  };

  it('claims what a vanished consumer of a shared group left, and leaves alone what one still works on', async () => {
    const bus = await whenReady(open('stale'));
    await bus.declareGroup({ group: 'g', types: ['skyrun.usage.*'], ordered: false });
    await bus.publish(interleaved(['a'], 3));
    await raw.xreadgroup('GROUP', 'g', 'vanished', 'COUNT', 2, 'STREAMS', 'stale:events', '>');
    const handled: string[] = [];
    const subscribe = (member: string, ms: number) =>
      bus.subscribe({
        group: 'g',
        types: ['skyrun.usage.*'],
        ordered: false,
        prefetch: 1,
        async handler({ sequence }) {
          await systemClock.sleep(ms);
          handled.push(`${member}${sequence}`);
        },
      });
    await subscribe('slow', 4_000);
    await expect.poll(async () => Number((await raw.xpending('stale:events', 'g'))[0])).toBe(3);
    await subscribe('quick', 1);
    await expect.poll(() => [...handled].sort()).toEqual(['quick1', 'quick2', 'slow3']);
    await bus.close();
  });

  it('gives what a broken connection was handed to whoever reads next, at once: the same process or another', async () => {
    // Nobody takes over as stale within this test.
    const bus = await whenReady(open('broken', 600_000));
    const handled: number[] = [];
    let cut = false;
    await bus.subscribe({
      group: 'g',
      types: ['skyrun.usage.*'],
      ordered: false,
      sideBySide: true,
      prefetch: 9,
      async handler({ sequence }, { signal }) {
        // Until the connection breaks, nothing comes to an end.
        if (!cut) await systemClock.sleep(600_000, signal);
        handled.push(sequence);
      },
    });
    await bus.publish(interleaved(['a'], 8));
    await expect.poll(async () => Number((await raw.xpending('broken:events', 'g'))[0])).toBe(8);
    cut = true;
    const clients = String(await raw.client('LIST')).split('\n');
    for (const line of clients.filter((each) => each.includes('name=skyrun-bus-reader')))
      await raw.client('KILL', 'ID', /\bid=(\d+)/.exec(line)?.[1] ?? '');
    await expect.poll(() => [...handled].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    await bus.close();
  });

  it('trims what every group has acknowledged, and nothing a group still needs', async () => {
    const bus = await whenReady(open('trimmed'));
    await bus.declareGroup({ group: 'absent', types: ['*'] });
    let handled = 0;
    const handler = async () => {
      handled += 1;
    };
    await bus.subscribe({ group: 'present', types: ['*'], prefetch: 500, handler });
    await bus.publish(interleaved(['a', 'b', 'c'], 500));
    await expect.poll(() => handled).toBe(1500);
    await systemClock.sleep(2_500);
    expect(await raw.xlen('trimmed:events')).toBe(1500);
    await bus.subscribe({ group: 'absent', types: ['*'], prefetch: 500, handler });
    await expect.poll(() => handled).toBe(3000);
    // Redis drops whole nodes of 100 entries.
    await expect.poll(() => raw.xlen('trimmed:events')).toBeLessThan(150);
    await bus.publish([lost('a', 501)]);
    await expect.poll(() => handled).toBe(3002);
    await bus.close();
  });

  it('trims every 2 s where it reads, every 20 s where it only publishes', async () => {
    const clock = new ManualClock();
    const bus = await whenReady(open('trimming', 1_000, clock));
    await bus.publish([lost('a', 1)]);
    const trims = async () => Number(/cmdstat_xtrim:calls=(\d+)/.exec(await raw.info('commandstats'))?.[1] ?? 0);
    /** A tick ends by an answer of Redis, which takes real time. */
    const pass = async (seconds: number) => {
      for (let second = 0; second < seconds; second += 1) {
        await clock.advance(1_000);
        await systemClock.sleep(20);
      }
    };
    const before = await trims();
    await pass(60);
    expect((await trims()) - before).toBe(3);
    await bus.subscribe({ group: 'tail', types: ['*'], ephemeral: true, handler: async () => undefined });
    const reading = await trims();
    await pass(20);
    expect((await trims()) - reading).toBe(10);
    await bus.close();
  });

  it('makes its groups anew when Redis comes back empty', async () => {
    const bus = await whenReady(open('emptied'));
    const handled: number[] = [];
    await bus.subscribe({
      group: 'g',
      types: ['skyrun.usage.*'],
      handler: async ({ sequence }) => {
        handled.push(sequence);
      },
    });
    await raw.flushall();
    await expect.poll(() => raw.exists('emptied:events')).toBe(1);
    await bus.publish([lost('a', 1)]);
    await expect.poll(() => handled).toEqual([1]);
    await bus.close();
  });
});
