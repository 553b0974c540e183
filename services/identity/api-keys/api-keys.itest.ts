import { type NewApiKey, OPERATIONS } from '@skyrun/contracts';
import { type Client, createClient, silentLogger } from '@skyrun/kit';
import { createDatabase } from '@skyrun/postgres';
import { problemOf, testDatabase, until } from '@skyrun/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN, INTERNAL_TOKEN, type Running, startIdentity } from '../identity.fixture.ts';
import { MOST_KEYS } from './usecases.ts';

let identity: Running;
let databaseUrl: string;
let drop: () => Promise<void>;
let owner: Client;
const params = { project: 'demo' };
const MINUTE_MS = 60_000;

beforeAll(async () => {
  const database = await testDatabase('api-keys');
  ({ drop, url: databaseUrl } = database);
  identity = await startIdentity(databaseUrl);
  owner = identity.as((await identity.as(null).call(OPERATIONS.signIn, { body: ADMIN })).accessToken);
});
afterAll(async () => {
  await identity.stop();
  await drop();
});

const create = (name: string, role: 'developer' | 'viewer' = 'developer', expiresInDays?: number): Promise<NewApiKey> =>
  owner.call(OPERATIONS.createApiKey, {
    params,
    body: { name, role, ...(expiresInDays === undefined ? {} : { expiresInDays }) },
  });
/** What a key opens: an operation of the project that every role may. */
const members = (client: Client, project = 'demo') =>
  client.call(OPERATIONS.listMembers, { params: { project }, query: {} });
const listed = async (name: string) => {
  const { items } = await owner.call(OPERATIONS.listApiKeys, { params, query: { limit: 100 } });
  return items.find((key) => key.name === name);
};
/** A verifier believes an answer for some seconds. */
const later = () => {
  identity.clock.shiftMs += 6_000;
};

it('is told once and kept as a digest only', async () => {
  const made = await create('told-once');
  expect(made.key).toMatch(/^sk_[\w-]{43}$/);
  expect(made).toMatchObject({ name: 'told-once', role: 'developer', expiresAt: null, lastUsedAt: null });
  expect(await listed('told-once')).not.toHaveProperty('key');
  const db = createDatabase({ url: databaseUrl, schema: 'identity', applicationName: 'test', logger: silentLogger });
  const { rows } = await db.query('select row_to_json(api_keys)::text as row from api_keys');
  const events = await db.query('select event::text as row from outbox');
  const audit = await db.query('select row_to_json(audit_log)::text as row from audit_log');
  expect(rows.length).toBeGreaterThan(0);
  expect(JSON.stringify([rows, events.rows, audit.rows, identity.events])).not.toContain(made.key.slice(8));
  expect(JSON.stringify(audit.rows)).toContain('key.create');
  await db.close();
  expect(await problemOf(create('told-once'))).toMatchObject({ code: 'resource.already_exists' });
});

it.each([
  ['Authorization', (key: string) => identity.as(key)],
  [
    'X-API-Key',
    (key: string) =>
      createClient({
        baseUrl: identity.url,
        fetch: (input, init) => fetch(input, { ...init, headers: { ...init?.headers, 'x-api-key': key } }),
      }),
  ],
])('opens its project by %s, with its role and no more', async (header, as) => {
  const name = `opens-${header.toLowerCase()}`;
  const { key } = await create(name, 'viewer');
  const client = as(key);
  expect((await members(client)).items.length).toBeGreaterThan(0);
  await until(async () => (await listed(name))?.lastUsedAt !== null);
  for (const [work, code] of [
    [() => members(client, 'elsewhere'), 'auth.forbidden'],
    [() => client.call(OPERATIONS.createApiKey, { params, body: { name: 'more', role: 'viewer' } }), 'auth.forbidden'],
    [() => client.call(OPERATIONS.createProject, { body: { name: 'mine' } }), 'auth.forbidden'],
    [() => client.call(OPERATIONS.getMe), 'auth.forbidden'],
    [() => members(as(`sk_${'x'.repeat(43)}`)), 'auth.invalid_token'],
  ] as const) {
    expect(await problemOf(work())).toMatchObject({ code });
  }
});

it('is exchanged: the one before holds for its grace, and not for a moment longer', async () => {
  const first = await create('exchanged');
  const second = await owner.call(OPERATIONS.rotateApiKey, {
    params: { ...params, key: first.id },
    body: { graceMinutes: 10 },
  });
  expect(second.key).not.toBe(first.key);
  expect(second).toMatchObject({ id: first.id, name: 'exchanged' });
  await members(identity.as(first.key));
  await members(identity.as(second.key));
  identity.clock.shiftMs += 11 * MINUTE_MS;
  owner = identity.as((await identity.as(null).call(OPERATIONS.signIn, { body: ADMIN })).accessToken);
  expect(await problemOf(members(identity.as(first.key)))).toMatchObject({ code: 'auth.invalid_token' });
  await members(identity.as(second.key));
  const third = await owner.call(OPERATIONS.rotateApiKey, {
    params: { ...params, key: first.id },
    body: { graceMinutes: 0 },
  });
  later();
  expect(await problemOf(members(identity.as(second.key)))).toMatchObject({ code: 'auth.invalid_token' });
  await members(identity.as(third.key));
});

it('ends by its time, and when it is revoked; the name is free again', async () => {
  const { key } = await create('a-day', 'viewer', 1);
  await members(identity.as(key));
  const gone = await create('gone', 'viewer');
  await members(identity.as(gone.key));
  await owner.call(OPERATIONS.revokeApiKey, { params: { ...params, key: gone.id } });
  later();
  expect(await problemOf(members(identity.as(gone.key)))).toMatchObject({ code: 'auth.invalid_token' });
  expect(await listed('gone')).toBeUndefined();
  await create('gone');
  const again = owner.call(OPERATIONS.revokeApiKey, { params: { ...params, key: gone.id } });
  expect(await problemOf(again)).toMatchObject({ code: 'resource.not_found' });
  await until(() => identity.events.some(({ type }) => type === 'skyrun.key.revoked.v1'));
  identity.clock.shiftMs += 25 * 60 * MINUTE_MS;
  expect(await problemOf(members(identity.as(key)))).toMatchObject({ code: 'auth.invalid_token' });
  owner = identity.as((await identity.as(null).call(OPERATIONS.signIn, { body: ADMIN })).accessToken);
});

it('tells gateways of every digest that holds, when something has changed, and hears which were used', async () => {
  const platform = identity.as(INTERNAL_TOKEN);
  const sync = (version: string, used: string[] = []) =>
    platform.call(OPERATIONS.syncApiKeys, { body: { version, used } });
  const before = await sync('');
  expect((await sync(before.version)).keys).toBeNull();
  const made = await create('synced');
  const after = await sync(before.version, [made.id]);
  expect(after.keys?.length).toBe((before.keys?.length ?? 0) + 1);
  expect(after.keys?.find(({ id }) => id === made.id)).toMatchObject({ project: 'demo', until: null });
  expect((await listed('synced'))?.lastUsedAt).not.toBeNull();
  await owner.call(OPERATIONS.rotateApiKey, { params: { ...params, key: made.id }, body: { graceMinutes: 5 } });
  const both = await sync(after.version);
  expect(both.keys?.filter(({ id }) => id === made.id).map(({ until: end }) => end === null)).toEqual([true, false]);
  expect(
    await problemOf(identity.as(made.key).call(OPERATIONS.syncApiKeys, { body: { version: '', used: [] } })),
  ).toMatchObject({
    code: 'auth.forbidden',
  });
});

it('are so many in a project and no more: every gateway holds all of them', async () => {
  const crowded = { project: 'crowded' };
  await owner.call(OPERATIONS.createProject, { body: { name: crowded.project } });
  const make = (name: string) =>
    owner.call(OPERATIONS.createApiKey, { params: crowded, body: { name, role: 'viewer' } });
  const [first] = await Promise.all([make('first'), make('second')]);
  for (let count = 2; count < MOST_KEYS - 2; count += 1) await make(`key-${count}`);
  // At once: whoever counts must not be passed by others.
  const last = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map((letter) => make(`last-${letter}`)));
  expect(last.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  expect(await problemOf(make('one-more'))).toMatchObject({ code: 'request.invalid' });
  await owner.call(OPERATIONS.revokeApiKey, { params: { ...crowded, key: first.id } });
  await make('in-its-place');
});
