import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBus, type EventBus } from '@skyrun/bus';
import { OPERATIONS } from '@skyrun/contracts';
import { systemClock as clock, createClient, loadConfig, silentLogger } from '@skyrun/kit';
import { createDatabase } from '@skyrun/postgres';
import { type Served, serve, testDatabase, testRedisUrl, until } from '@skyrun/testing';
import { CloudEvent, HTTP } from 'cloudevents';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deleted, tokenBook } from '../events.fixture.ts';
import { createEventsService, eventsConfig } from '../index.ts';

/** A receiver as somebody else would write it: the public package reads the event, the signature is checked before. */
let receiver: Server;
let receiverUrl: string;
let secret = '';
const accepted: CloudEvent<unknown>[] = [];
let refused = 0;

let bus: EventBus;
let served: Served;
let databaseUrl: string;
let drop: () => Promise<void>;
const prefix = `public-${randomBytes(4).toString('hex')}`;

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { headers } = request;
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const expected = Buffer.from(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
    const fits = String(headers['webhook-signature'])
      .split(' ')
      .some((given) => given.length === expected.length && timingSafeEqual(Buffer.from(given), expected));
    if (!fits) {
      refused += 1;
      response.writeHead(401).end();
      return;
    }
    const event = HTTP.toEvent({ headers, body });
    accepted.push(...(Array.isArray(event) ? event : [event]).map((one) => new CloudEvent(one)));
    response.writeHead(202).end();
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  ({ url: databaseUrl, drop } = await testDatabase('receiver'));
  const redisUrl = await testRedisUrl();
  bus = await createBus({ kind: 'memory', clock, logger: silentLogger });
  const authenticator = tokenBook();
  const module = createEventsService({
    config: loadConfig(eventsConfig, {
      SKYRUN_REDIS_URL: redisUrl,
      SKYRUN_WEBHOOK_KEY_SECRET: 'w'.repeat(40),
      SKYRUN_WEBHOOK_ALLOW_PRIVATE: 'true',
    }),
    databaseUrl,
    bus,
    authenticator,
    clock,
    logger: silentLogger,
    queuePrefix: prefix,
  });
  served = await serve(() => ({ modules: [module], authenticator }));
});
afterAll(async () => {
  await served.stop();
  await bus.close();
  receiver.closeAllConnections();
  receiver.close();
  await drop();
});

const client = (project: string) => createClient({ baseUrl: served.url, token: () => `ann:${project}` });

it.each(['binary', 'structured'] as const)('the public package reads what is sent in %s mode', async (mode) => {
  accepted.length = 0;
  const created = await client(mode).call(OPERATIONS.createSubscription, {
    params: { project: mode },
    body: { name: 'hook', destination: receiverUrl, mode },
  });
  ({ secret } = created);
  const event = {
    ...deleted(mode, 'ünïcode 😀 "quoted" 100%'),
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  };
  await bus.publish([event]);
  await until(() => accepted.length === 1, 40_000);
  const [given] = accepted;
  expect(given?.validate()).toBe(true);
  expect(given).toMatchObject({
    specversion: '1.0',
    id: event.id,
    type: event.type,
    source: event.source,
    datacontenttype: 'application/json',
    data: event.data,
    traceparent: event.traceparent,
    project: mode,
  });
  // A header is percent-encoded, and the package leaves it so.
  const subject = given?.subject ?? '';
  expect(mode === 'binary' ? decodeURIComponent(subject) : subject).toBe(event.subject);

  secret = `whsec_${Buffer.from('somebody else’s').toString('base64')}`;
  const params = { project: mode, subscription: created.id };
  const tested = await client(mode).call(OPERATIONS.testSubscription, { params });
  expect(tested).toMatchObject({ state: 'refused', history: [{ status: 401 }] });
});

it('keeps no secret readable in the database', async () => {
  expect(refused).toBe(2);
  const database = createDatabase({
    url: databaseUrl,
    schema: 'events',
    applicationName: 'look',
    logger: silentLogger,
  });
  const { rows } = await database.query<{ secrets: { value: string }[] }>('select secrets from subscriptions');
  await database.close();
  expect(rows).toHaveLength(2);
  for (const { value } of rows.flatMap(({ secrets }) => secrets)) expect(value).toMatch(/^sealed:[A-Za-z0-9+/=]+$/);
});
