import { OPERATIONS } from '@skyrun/contracts';
import { systemClock as clock, createApi, createClient, ManualClock, silentLogger } from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { problemOf, type Served, serve, testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tokenBook } from '../events.fixture.ts';
import type { EventsTables } from '../store/tables.ts';
import { createHealthChecks } from './health.ts';
import { createRegistrations, type Registrations } from './registrations.ts';
import { bindRegistrations } from './routes.ts';
import { createTeamRoutes, type TeamRoutes } from './team-routes.ts';
import { createWatch } from './watch.ts';

let database: Database;
let registrations: Registrations;
let served: Served;
let drop: () => Promise<void>;
let teamRoutes: TeamRoutes;
const time = new ManualClock();

beforeAll(async () => {
  const made = await testDatabase('registrations');
  ({ drop } = made);
  database = createDatabase({
    url: made.url,
    schema: 'events',
    applicationName: 'registrations',
    logger: silentLogger,
  });
  await database.migrate(new URL('../migrations/', import.meta.url));
  await time.advance(clock.now() - time.now());
  registrations = createRegistrations({ db: database.kysely<EventsTables>(), clock: time });
  const api = createApi();
  const addresses = { resolve: async () => [], allowPrivate: true };
  const health = createHealthChecks({ registrations, addresses, clock: time, logger: silentLogger });
  const watch = createWatch({ registrations, clock });
  teamRoutes = createTeamRoutes({
    registrations,
    addresses: {
      resolve: async (host) => [{ address: host === 'public.example' ? '8.8.4.4' : '10.0.0.9', family: 4 }],
      allowPrivate: false,
    },
    clock: time,
  });
  bindRegistrations(api, { registrations, health, watch, teamRoutes, requireStarted: () => undefined });
  const module = {
    name: 'registrations',
    api,
    start: async () => undefined,
    stop: async () => undefined,
    ready: () => ({ ok: true, checks: {} }),
  };
  served = await serve(() => ({ modules: [module], authenticator: tokenBook() }));
});
afterAll(async () => {
  await served.stop();
  await database.close();
  await drop();
});

const client = (project: string) => createClient({ baseUrl: served.url, token: () => `ann:${project}` });
const register = (project: string, address: string, body: Record<string, unknown> = {}) =>
  client(project).call(OPERATIONS.registerTeamService, {
    params: { project },
    body: { name: 'mailer', address, ttlSeconds: 30, ...body },
  });
const list = async (project: string, query: Record<string, unknown> = {}) =>
  (await client(project).call(OPERATIONS.listTeamServices, { params: { project }, query })).items;
const beat = (project: string, id: string, body: Record<string, unknown> = {}) =>
  client(project).call(OPERATIONS.heartbeatTeamService, { params: { project, registration: id }, body });

it('shows who is there and how they are; the same copy again is the same registration', async () => {
  const one = await register('who', 'http://10.0.0.1:80', { metadata: { zone: 'a' } });
  await time.advance(1);
  const two = await register('who', 'http://10.0.0.2:80');
  await register('who', 'amqp://10.0.0.3', { name: 'billing' });
  expect((await register('who', 'http://10.0.0.1:80', { metadata: { zone: 'b' } })).id).toBe(one.id);
  await beat('who', two.id, { health: 'degraded', message: 'slow disk' });
  const mailers = await list('who', { name: 'mailer' });
  expect(mailers).toMatchObject([
    { id: one.id, health: 'healthy', metadata: { zone: 'b' } },
    { id: two.id, health: 'degraded', message: 'slow disk' },
  ]);
  expect((await list('who', { health: 'degraded' })).map(({ id }) => id)).toEqual([two.id]);
  const page = await client('who').call(OPERATIONS.listTeamServices, {
    params: { project: 'who' },
    query: { limit: 2 },
  });
  expect(await list('who', { cursor: page.nextCursor })).toHaveLength(1);
});

it('lets one that says nothing expire, takes it back, and forgets it after an hour', async () => {
  const { id, expiresAt } = await register('ttl', 'http://10.0.0.1:80');
  expect(Date.parse(expiresAt) - time.now()).toBe(30_000);
  await time.advance(29_000);
  expect(await list('ttl')).toMatchObject([{ health: 'healthy' }]);
  await time.advance(1_000);
  expect(await list('ttl')).toMatchObject([{ health: 'expired' }]);
  expect(await list('ttl', { health: 'healthy' })).toEqual([]);
  expect(await list('ttl', { health: 'expired' })).toHaveLength(1);
  expect((await beat('ttl', id)).health).toBe('healthy');
  await time.advance(30_000 + 3_600_000);
  expect(await list('ttl')).toEqual([]);
  expect((await problemOf(beat('ttl', id))).code).toBe('resource.not_found');
  await registrations.forgetExpired();
  const { rows } = await database.query(`select 1 from registrations where project = 'ttl'`);
  expect(rows).toEqual([]);
});

it('is a project’s own, and a copy that ends says so', async () => {
  const { id } = await register('mine', 'http://10.0.0.1:80');
  expect((await problemOf(beat('yours', id))).code).toBe('resource.not_found');
  const params = { project: 'mine', registration: id };
  expect((await problemOf(client('yours').call(OPERATIONS.deregisterTeamService, { params }))).code).toBe(
    'auth.forbidden',
  );
  await client('mine').call(OPERATIONS.deregisterTeamService, { params });
  expect(await list('mine')).toEqual([]);
  expect((await problemOf(register('mine', 'not an address'))).code).toBe('request.invalid');
});

it('tells gateways of copies that are well and whose address may be called, as addresses', async () => {
  const there = await register('reach', 'http://public.example:8080');
  await register('reach', 'http://private.example:8080');
  await register('reach', 'http://127.0.0.1:5432');
  await register('reach', 'amqp://public.example');
  const ill = await register('reach', 'http://public.example:8081');
  await beat('reach', ill.id, { health: 'unhealthy' });
  const ours = async () => (await teamRoutes()).filter(({ project }) => project === 'reach');
  expect(await ours()).toEqual([
    { project: 'reach', name: 'mailer', copies: [{ id: there.id, address: '8.8.4.4', port: 8080 }] },
  ]);
  await time.advance(30_000);
  expect(await ours()).toEqual([]);
});
