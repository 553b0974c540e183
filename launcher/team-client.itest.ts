import { setTimeout as sleep } from 'node:timers/promises';
import { createBus } from '@skyrun/bus';
import { connectSkyrun, type Skyrun } from '@skyrun/client';
import { type DataSchema, OPERATIONS } from '@skyrun/contracts';
import { createEventsService, eventsConfig } from '@skyrun/events';
import {
  type Authenticator,
  systemClock as clock,
  createClient,
  createHttpServer,
  createMetrics,
  type HttpServer,
  loadConfig,
  silentLogger as logger,
  type ServiceModule,
} from '@skyrun/kit';
import { testDatabase, testRedisUrl } from '@skyrun/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

declare module '@skyrun/client' {
  interface TeamEvents {
    'team.shop.order.placed.v1': { readonly total: number; readonly note?: string };
  }
}

const schema: DataSchema = {
  type: 'object',
  properties: { total: { type: 'integer' }, note: { type: 'string' } },
  required: ['total'],
};
const description = { summary: 'An order was placed', subject: 'orders/{id}', schema };
const authenticator: Authenticator = {
  authenticate: async () => ({
    kind: 'user',
    userId: 'usr',
    email: 'a@b.cc',
    admin: true,
    expiresAt: Number.MAX_SAFE_INTEGER,
  }),
  can: async () => true,
};
const PATIENCE = { timeout: 60_000 };

let module: ServiceModule;
let http: HttpServer;
let url: string;
let drop: () => Promise<void>;
let redis: string;
const open: Skyrun[] = [];
const namespace = `team-client-${process.pid}`;

const connect = async (group: string, more: Record<string, unknown> = {}) => {
  const made = await connectSkyrun({
    kind: 'redis',
    url: redis,
    namespace,
    group,
    project: 'shop',
    api: { url, token: () => 'token' },
    logger,
    ...more,
  });
  open.push(made);
  return made;
};

beforeAll(async () => {
  const database = await testDatabase('team');
  ({ drop } = database);
  redis = await testRedisUrl();
  const bus = await createBus({ kind: 'redis', url: redis, namespace, clock, logger });
  const config = loadConfig(eventsConfig, { SKYRUN_WEBHOOK_ALLOW_PRIVATE: 'true' });
  module = createEventsService({ config, databaseUrl: database.url, bus, authenticator, clock, logger });
  http = createHttpServer({
    modules: [module],
    authenticator,
    logger,
    clock,
    metrics: createMetrics(),
    host: '127.0.0.1',
    port: 0,
  });
  url = `http://127.0.0.1:${(await http.listen()).port}`;
  await module.start();
  const stop = module.stop;
  module.stop = async () => {
    await stop();
    await bus.close();
  };
});
afterAll(async () => {
  for (const one of open) await one.stop();
  await http.close(500);
  await module.stop();
  await drop();
});

it('describes, publishes and consumes, in order per subject and side by side across subjects', async () => {
  const consumer = await connect('mailer', { prefetch: 4 });
  const seen: string[] = [];
  let running = 0;
  let most = 0;
  consumer.on('team.shop.order.placed.v1', async ({ subject, data, sequence }) => {
    running += 1;
    most = Math.max(most, running);
    await sleep(30);
    seen.push(`${subject} ${sequence} ${data.total}`);
    running -= 1;
  });
  await consumer.start();
  const producer = await connect('checkout');
  await expect(
    producer.publish('team.shop.order.placed.v1', { subject: 'orders/1', data: { total: 1 } }),
  ).rejects.toThrow(/no schema/);
  expect((await producer.describe('team.shop.order.placed.v1', description)).version).toBe(1);
  for (let total = 1; total <= 5; total += 1) {
    await producer.publish('team.shop.order.placed.v1', { subject: 'orders/1', data: { total } });
    await producer.publish('team.shop.order.placed.v1', { subject: 'orders/2', data: { total } });
  }
  await vi.waitUntil(() => seen.length === 10, PATIENCE);
  for (const subject of ['orders/1', 'orders/2']) {
    expect(seen.filter((one) => one.startsWith(subject))).toEqual([1, 2, 3, 4, 5].map((n) => `${subject} ${n} ${n}`));
  }
  expect(most).toBeLessThanOrEqual(4);
});

it('refuses what does not fit before it is sent, and a change that breaks readers', async () => {
  const producer = await connect('checkout');
  const misfit = JSON.parse('{"total":"five"}');
  await expect(producer.publish('team.shop.order.placed.v1', { subject: 'orders/1', data: misfit })).rejects.toThrow(
    'data/total expected integer, got string',
  );
  await expect(producer.publish('team.bank.order.placed.v1', { subject: 'x', data: {} })).rejects.toThrow(
    'team.shop.*',
  );
  const broken = producer.describe('team.shop.order.placed.v1', {
    ...description,
    schema: { type: 'object', properties: { total: { type: 'string' } } },
  });
  await expect(broken).rejects.toMatchObject({ code: 'event.incompatible_schema' });
});

it('manual acknowledgement holds the next of a subject back, and a graceful stop waits for it', async () => {
  const consumer = await connect('manual', { acknowledge: 'manual' });
  const waiting: { total: number; ack: () => void }[] = [];
  consumer.on('team.shop.order.placed.v1', async ({ data }, { ack }) => {
    waiting.push({ total: data.total, ack });
  });
  await consumer.start();
  const producer = await connect('checkout');
  for (const total of [1, 2])
    await producer.publish('team.shop.order.placed.v1', { subject: 'orders/m', data: { total } });
  await vi.waitUntil(() => waiting.length === 1, PATIENCE);
  await sleep(200);
  expect(waiting).toHaveLength(1);
  waiting[0]?.ack();
  await vi.waitUntil(() => waiting.length === 2, PATIENCE);
  let stopped = false;
  const stopping = consumer.stop().then(() => {
    stopped = true;
  });
  await sleep(100);
  expect(stopped).toBe(false);
  waiting[1]?.ack();
  await stopping;
});

it('is found while it is there, and not any more after it stopped', async () => {
  const service = await connect('presence');
  await service.present({ name: 'checkout', address: 'http://127.0.0.1:1', metadata: { zone: 'a' } });
  const list = async () =>
    (
      await createClient({ baseUrl: url, token: () => 'token' }).call(OPERATIONS.listTeamServices, {
        params: { project: 'shop' },
      })
    ).items;
  expect(await list()).toMatchObject([{ name: 'checkout', health: 'healthy', metadata: { zone: 'a' } }]);
  await service.stop();
  expect(await list()).toEqual([]);
});
