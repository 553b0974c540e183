import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBus, type EventBus, observeBus } from '@skyrun/bus';
import { type AnyEvent, type DataSchema, LATENCY_BOUNDS_MS, OPERATIONS } from '@skyrun/contracts';
import { systemClock as clock, createClient, loadConfig, silentLogger } from '@skyrun/kit';
import { problemOf, type Served, serve, testDatabase, until } from '@skyrun/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeEvent, tokenBook } from '../events.fixture.ts';
import { createEventsService, eventsConfig } from '../index.ts';

const TYPE = 'team.shop.order.placed.v1';
const schema: DataSchema = {
  type: 'object',
  properties: { total: { type: 'integer', minimum: 0 }, currency: { type: 'string', enum: ['EUR', 'USD'] } },
  required: ['total', 'currency'],
};

let bus: EventBus;
let served: Served;
let drop: () => Promise<void>;
const seen: AnyEvent[] = [];

beforeAll(async () => {
  const database = await testDatabase('schemas');
  ({ drop } = database);
  const memory = await createBus({ kind: 'memory', clock, logger: silentLogger, retry: { maxAttempts: 1 } });
  bus = observeBus({ bus: memory, clock, logger: silentLogger, project: 'shop' });
  const authenticator = tokenBook();
  const module = createEventsService({
    config: loadConfig(eventsConfig, { SKYRUN_WEBHOOK_ALLOW_PRIVATE: 'true' }),
    databaseUrl: database.url,
    bus,
    authenticator,
    clock,
    logger: silentLogger,
  });
  served = await serve(() => ({ modules: [module], authenticator }));
  await bus.subscribe({
    group: 'mailer',
    types: ['team.shop.*'],
    async handler(event) {
      seen.push(event);
      if (event.subject === 'orders/broken') throw new Error('no such customer');
    },
  });
});
afterAll(async () => {
  await served.stop();
  await bus.close();
  await drop();
});

const client = (project = 'shop') => createClient({ baseUrl: served.url, token: () => `ann:${project}` });
const register = (body: Record<string, unknown>, type = TYPE, project = 'shop') =>
  client(project).call(OPERATIONS.registerEventSchema, {
    params: { project, type },
    body: { summary: 'An order was placed', subject: 'orders/{id}', schema, ...body },
  });
const publish = (
  events: readonly { data: unknown; type?: string; subject?: string; source?: string; id?: string }[],
  project = 'shop',
) =>
  client(project).call(OPERATIONS.publishEvents, {
    params: { project },
    body: {
      events: events.map((event) => ({ type: TYPE, subject: 'orders/1', source: 'checkout', ...event })),
    },
  });

it('registers a schema, the same again as the same, and a wider one as the next version', async () => {
  const first = await register({ example: { total: 5, currency: 'EUR' } });
  expect(first).toMatchObject({ version: 1, compatibility: 'backward', schema: { additionalProperties: false } });
  expect((await register({ example: { total: 5, currency: 'EUR' } })).version).toBe(1);
  const wider = { ...schema, properties: { ...schema.properties, note: { type: 'string' } } };
  expect((await register({ schema: wider })).version).toBe(2);
  const params = { project: 'shop', type: TYPE };
  const { items } = await client().call(OPERATIONS.listEventSchemaVersions, { params });
  expect(items.map(({ version }) => version)).toEqual([2, 1]);
  expect((await client().call(OPERATIONS.getEventSchema, { params, query: { version: 1 } })).schema).toEqual(
    first.schema,
  );
  await register({}, 'team.shop.cart.emptied.v1');
  const page = await client().call(OPERATIONS.listEventSchemas, { params: { project: 'shop' }, query: { limit: 1 } });
  expect(page.items.map(({ type }) => type)).toEqual(['team.shop.cart.emptied.v1']);
  const query = { cursor: page.nextCursor ?? '' };
  const rest = await client().call(OPERATIONS.listEventSchemas, { params: { project: 'shop' }, query });
  expect(rest.items.map(({ type, version }) => [type, version])).toEqual([[TYPE, 2]]);
});

it('refuses a change that breaks readers, with the place and the way out', async () => {
  const narrower = {
    ...schema,
    properties: { total: { type: 'string' }, currency: { type: 'string', enum: ['EUR', 'USD'] } },
  };
  const problem = await problemOf(register({ schema: narrower }));
  expect(problem.code).toBe('event.incompatible_schema');
  expect(problem.errors.map(({ field }) => field).toSorted()).toEqual([
    '/schema/properties/note',
    '/schema/properties/total/type',
  ]);
  expect(problem.detail).toContain('team.shop.order.placed.v2');
  const checked = await client().call(OPERATIONS.checkEventSchema, {
    params: { project: 'shop', type: TYPE },
    body: { schema: narrower as DataSchema },
  });
  expect(checked.compatible).toBe(false);
  expect(checked.issues.map(({ path }) => path)).toContain('/properties/total/type');
});

it('lets a project name types in its own namespace only, and only with a sound schema', async () => {
  expect((await problemOf(register({}, TYPE, 'bank'))).errors[0]?.field).toBe('#path/type');
  expect((await problemOf(register({}, 'skyrun.image.deleted.v1'))).code).toBe('request.invalid');
  const unsound = await problemOf(register({ schema: { type: 'object', required: ['x'] } }, 'team.shop.a.b.v1'));
  expect(unsound.errors[0]?.field).toBe('/schema/required');
  const misfit = await problemOf(register({ example: { total: -1, currency: 'EUR' } }, 'team.shop.a.b.v1'));
  expect(misfit.errors[0]?.field).toBe('/example/total');
  const stranger = client('bank').call(OPERATIONS.listEventSchemas, { params: { project: 'shop' } });
  expect((await problemOf(stranger)).code).toBe('auth.forbidden');
});

it('publishes what fits, all or nothing, numbered per source and subject, to groups and history', async () => {
  const { items } = await publish([
    { data: { total: 1, currency: 'EUR' } },
    { data: { total: 2, currency: 'USD' } },
    { subject: 'orders/2', data: { total: 3, currency: 'USD' } },
    { source: 'kiosk', data: { total: 4, currency: 'USD' } },
  ]);
  expect(items.map(({ source, subject, sequence }) => `${source} ${subject} ${sequence}`)).toEqual([
    '/team/shop/checkout orders/1 1',
    '/team/shop/checkout orders/1 2',
    '/team/shop/checkout orders/2 1',
    '/team/shop/kiosk orders/1 1',
  ]);
  await until(() => seen.length === 4);
  expect(seen.map(({ id }) => id).toSorted()).toEqual(items.map(({ id }) => id).toSorted());
  const history = async (type: string) =>
    (await client().call(OPERATIONS.listProjectEvents, { params: { project: 'shop' }, query: { type } })).items;
  await until(async () => (await history('team.shop.order.*')).length === 4);
  expect(await history('team.shop.cart.*')).toEqual([]);
  expect((await history('team.*')).length).toBe(4);

  const bad = await problemOf(
    publish([{ data: { total: 1, currency: 'EUR' } }, { data: { total: 'x', currency: 'EUR' } }]),
  );
  expect(bad.code).toBe('event.invalid_data');
  expect(bad.errors).toEqual([{ field: '/events/1/data/total', message: 'expected integer, got string' }]);
  expect((await problemOf(publish([{ type: 'team.shop.nothing.known.v1', data: {} }]))).code).toBe(
    'event.unknown_type',
  );
  expect((await problemOf(publish([{ data: { total: 1, currency: 'EUR' } }], 'bank'))).code).toBe('request.invalid');
});

it('publishes an event with an id of the publisher’s once, however often and from how many sides it is sent', async () => {
  const order = (id: string, total = 7) => ({ id, subject: 'orders/again', data: { total, currency: 'EUR' } });
  const answers = await Promise.all(
    Array.from({ length: 5 }, () =>
      publish([order('order-1'), { subject: 'orders/again', data: { total: 8, currency: 'EUR' } }, order('order-2')]),
    ),
  );
  const of = (id: string) => answers.map(({ items }) => items.find((item) => item.id === id)?.sequence);
  for (const id of ['order-1', 'order-2']) expect(new Set(of(id)).size, id).toBe(1);
  expect(answers[0]?.items.map(({ data }) => (data as { total: number }).total)).toEqual([7, 8, 7]);
  const heard = () => seen.filter(({ subject }) => subject === 'orders/again');
  await until(() => heard().length === 7);
  expect(heard().map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  // Twice in one request, and the same id of another source.
  await publish([order('order-3'), order('order-3')]);
  await publish([{ ...order('order-3'), source: 'warehouse' }]);
  await until(() => heard().length === 9);
  const reused = await problemOf(publish([order('order-1', 9)]));
  expect(reused).toMatchObject({ code: 'request.idempotency_conflict', detail: expect.stringContaining('order-1') });
});

it('shows types, an example and who consumes them, and the same as AsyncAPI', async () => {
  const params = { project: 'shop' };
  const entry = async () => {
    const { items } = await client().call(OPERATIONS.getCatalogue, { params });
    return items.find(({ type }) => type === TYPE);
  };
  await until(async () => (await entry())?.consumers.some(({ name }) => name === 'mailer') === true);
  expect(await entry()).toMatchObject({ version: 2, example: { source: expect.stringContaining('/team/shop/') } });
  expect((await entry())?.consumers.map(({ name }) => name)).toEqual(['events', 'mailer']);
  const document = await client().call(OPERATIONS.getAsyncApi, { params });
  expect(document).toMatchObject({ asyncapi: '3.0.0', channels: { TeamShopOrderPlacedV1: { address: TYPE } } });
});

it('draws who feeds whom, and tells of dead letters that grow', async () => {
  await publish([{ subject: 'orders/broken', data: { total: 1, currency: 'EUR' } }]);
  const map = () => client().call(OPERATIONS.getServiceMap, { params: { project: 'shop' } });
  await until(
    async () => (await map()).edges.some(({ to, errorRatio }) => to === 'group:mailer' && errorRatio > 0),
    20_000,
  );
  const drawn = await map();
  const edge = drawn.edges.find(({ to, from }) => to === 'group:mailer' && from === 'team:checkout');
  expect(edge).toMatchObject({ kind: 'event', types: [TYPE] });
  expect(drawn.nodes.find(({ id }) => id === 'group:mailer')).toMatchObject({ health: 'healthy' });
  const admin = createClient({ baseUrl: served.url, token: () => 'root:*' });
  const { items } = await admin.call(OPERATIONS.listDeadLetterGroups);
  expect(items.find(({ group }) => group === 'mailer')).toMatchObject({ letters: 1, project: 'shop' });
  await until(
    async () =>
      (await admin.call(OPERATIONS.listEvents, { query: { type: 'skyrun.letters.grown.v1' } })).items.length > 0,
    40_000,
  );
}, 60_000);

it('draws who calls whom, as gateways tell it', async () => {
  const latencyBuckets = [12, ...LATENCY_BOUNDS_MS.map(() => 0)];
  const counts = { requests: 12, errors: 3, latencyBuckets };
  const calls = [{ project: 'shop', from: 'checkout', kind: 'service' as const, to: 'stock', ...counts }];
  const data = { gateway: 'gateway-1', calls };
  await bus.publish([makeEvent({ type: 'skyrun.calls.observed.v1', subject: 'gateways/gateway-1', data })]);
  const drawn = async () =>
    (await client().call(OPERATIONS.getServiceMap, { params: { project: 'shop' } })).edges.find(
      ({ from, to }) => from === 'team:checkout' && to === 'service:stock',
    );
  await until(async () => (await drawn()) !== undefined);
  expect(await drawn()).toMatchObject({ kind: 'http', errorRatio: 0.25, latencyMs: LATENCY_BOUNDS_MS[0] });
});

it('asks a registered copy how it is, and tells who watches', async () => {
  let status = 200;
  const copy = createServer((_request, response) => response.writeHead(status).end());
  await new Promise<void>((resolve) => copy.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(copy.address() as AddressInfo).port}`;
  const stop = new AbortController();
  const told: string[] = [];
  const stream = client().stream(OPERATIONS.watchTeamServices, {
    params: { project: 'shop' },
    signal: stop.signal,
  });
  const watching = (async () => {
    for await (const { items } of stream) told.push(items.map(({ name, health }) => `${name}:${health}`).join());
  })().catch(() => undefined);
  await client().call(OPERATIONS.registerTeamService, {
    params: { project: 'shop' },
    body: { name: 'checkout', address, healthUrl: `${address}/health`, ttlSeconds: 600 },
  });
  await until(() => told.includes('checkout:healthy'), 20_000);
  status = 500;
  await until(() => told.includes('checkout:unhealthy'), 20_000);
  stop.abort();
  await watching;
  await new Promise((resolve) => copy.close(resolve));
  copy.closeAllConnections();
}, 60_000);
