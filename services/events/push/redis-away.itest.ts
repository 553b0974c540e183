import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBus, type EventBus } from '@skyrun/bus';
import { OPERATIONS } from '@skyrun/contracts';
import { systemClock as clock, createClient, loadConfig, silentLogger } from '@skyrun/kit';
import { type Served, serve, startRedis, type TestRedis, testDatabase, testRedisUrl, until } from '@skyrun/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deleted, tokenBook } from '../events.fixture.ts';
import { createEventsService, eventsConfig } from '../index.ts';

/** A Redis of its own for the deliveries, because it is killed; the events come over another. */
let redis: TestRedis;
let bus: EventBus;
let served: Served;
let receiver: Server;
let drop: () => Promise<void>;
const received: string[] = [];

beforeAll(async () => {
  redis = await startRedis({ aof: true });
  const database = await testDatabase('push_redis_away');
  drop = database.drop;
  const namespace = `away-${randomBytes(4).toString('hex')}`;
  bus = await createBus({ kind: 'redis', url: await testRedisUrl(), namespace, clock, logger: silentLogger });
  receiver = createServer((request, response) => {
    request.resume();
    received.push(String(request.headers['ce-id']));
    response.writeHead(202).end();
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const authenticator = tokenBook();
  const module = createEventsService({
    config: loadConfig(eventsConfig, {
      SKYRUN_REDIS_URL: redis.url,
      SKYRUN_WEBHOOK_KEY_SECRET: 'w'.repeat(40),
      SKYRUN_WEBHOOK_ALLOW_PRIVATE: 'true',
      SKYRUN_WEBHOOK_RETRY_MS: '20',
    }),
    databaseUrl: database.url,
    bus,
    authenticator,
    clock,
    logger: silentLogger,
  });
  served = await serve(() => ({ modules: [module], authenticator }));
});
afterAll(async () => {
  await served.stop();
  await bus.close();
  receiver.closeAllConnections();
  receiver.close();
  await redis.stop();
  await drop();
});

it('keeps what comes while Redis is away, and sends all of it when it is back', async () => {
  const client = createClient({ baseUrl: served.url, token: () => 'ann:away' });
  const { port } = receiver.address() as AddressInfo;
  const { id } = await client.call(OPERATIONS.createSubscription, {
    params: { project: 'away' },
    body: { name: 'hook', destination: `http://127.0.0.1:${port}/` },
  });
  await bus.publish([deleted('away', 'before')]);
  await until(() => received.length === 1, 40_000);
  await redis.kill();
  const events = Array.from({ length: 25 }, (_, n) => deleted('away', `n${n}`));
  await bus.publish(events);
  const waiting = async () => {
    const params = { project: 'away', subscription: id };
    const query = { state: 'waiting' as const, limit: 100 };
    return (await client.call(OPERATIONS.listDeliveries, { params, query })).items.length;
  };
  await until(async () => (await waiting()) === 25, 40_000);
  expect(received).toHaveLength(1);
  await redis.restart();
  await until(async () => (await waiting()) === 0, 90_000);
  expect(events.every((event) => received.includes(event.id))).toBe(true);
}, 180_000);
