import { generateKeyPairSync } from 'node:crypto';
import { Agent, get } from 'node:http';
import { systemClock } from '@skyrun/kit';
import { describe, expect, test } from 'vitest';
import { apiKeyOf, apiKeys, useGuardedGateway } from '../harness/guarded-gateway.ts';
import { exchangeRaw } from '../harness/raw-client.ts';

const guarded = useGuardedGateway();
const { call, start, token } = guarded;

describe('members only', () => {
  test('a member comes through, and the instance cannot use the token', async () => {
    await start({ invoker: 'members' });
    const signed = await token();
    const response = await call('/', { headers: { authorization: `Bearer ${signed}` } });
    expect(response.status).toBe(200);
    const [head, body] = signed.split('.');
    expect(guarded.echo.seen[0]?.headers.authorization).toBe(`Bearer ${head}.${body}.SIGNATURE_REMOVED`);
    expect(
      (await call('/', { headers: { authorization: `Bearer ${await token({ admin: true, projects: {} })}` } })).status,
    ).toBe(200);
  });

  test.each<[string, () => Promise<string> | string, number, string]>([
    ['no token', () => '', 401, 'auth.required'],
    ['another scheme', () => 'Basic YTpi', 401, 'auth.required'],
    ['nonsense', () => 'Bearer a.b.c', 401, 'auth.invalid_token'],
    ['another project', async () => `Bearer ${await token({ projects: { other: 'owner' } })}`, 403, 'auth.forbidden'],
    ['an expired token', async () => `Bearer ${await token({}, { exp: '-1s' })}`, 401, 'auth.invalid_token'],
    ['another audience', async () => `Bearer ${await token({}, { audience: 'else' })}`, 401, 'auth.invalid_token'],
    [
      'another key',
      async () => `Bearer ${await token({}, { key: generateKeyPairSync('ed25519').privateKey })}`,
      401,
      'auth.invalid_token',
    ],
  ])('%s is refused', async (_name, authorization, status, code) => {
    await start({ invoker: 'members' });
    const value = await authorization();
    const response = await call('/', { headers: value === '' ? {} : { authorization: value } });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
    expect(response.headers.get('www-authenticate') !== null).toBe(status === 401);
    expect(guarded.echo.seen).toHaveLength(0);
  });

  test.each([
    ['x-api-key', (key: string) => ({ 'x-api-key': key })],
    ['authorization', (key: string) => ({ authorization: `Bearer ${key}` })],
  ])('an API key of the project in %s comes through, and the instance does not see it', async (field, send) => {
    await start({ invoker: 'members' });
    const asked = () => call('/', { headers: send(apiKeyOf('a')) });
    await expect.poll(async () => (await asked()).status, { timeout: 10_000 }).toBe(200);
    expect(guarded.echo.seen.at(-1)?.headers[field]).toMatch(/sk_REMOVED$/);
    expect(JSON.stringify(guarded.echo.seen)).not.toContain(apiKeyOf('a'));
    await expect.poll(() => guarded.used, { timeout: 10_000 }).toContain(apiKeys[0]?.id);
    const refused = async (letter: string) => {
      const response = await call('/', { headers: send(apiKeyOf(letter)) });
      const { code } = (await response.json()) as { code: string };
      return `${response.status} ${code}`;
    };
    expect(await refused('b')).toBe('403 auth.forbidden');
    expect(await refused('c')).toBe('401 auth.invalid_token');
    expect(await refused('d')).toBe('401 auth.invalid_token');
  });

  test('another kind of key in X-API-Key is no proof here, and the service’s own affair where all may call', async () => {
    await start({ invoker: 'members' });
    expect((await call('/', { headers: { 'x-api-key': 'secret' } })).status).toBe(401);
    const free = await call('/', { host: 'free.demo.localhost', headers: { 'x-api-key': apiKeyOf('a') } });
    expect(free.status).toBe(200);
    expect(guarded.echo.seen.at(-1)?.headers['x-api-key']).toBe(apiKeyOf('a'));
  });

  test('who calls by an API key of the project is told, of services that ask nothing, too', async () => {
    await start({ invoker: 'members' });
    const asked = (host?: string) => call('/', { headers: { 'x-api-key': apiKeyOf('a') }, ...(host ? { host } : {}) });
    await expect.poll(async () => (await asked()).status, { timeout: 10_000 }).toBe(200);
    await asked('free.demo.localhost');
    await call('/', { host: 'free.demo.localhost', headers: { 'x-api-key': apiKeyOf('b') } });
    const told = () =>
      guarded.running.published
        .flatMap((event) => (event.type === 'skyrun.calls.observed.v1' ? event.data.calls : []))
        .map(({ project, from, kind, requests }) => ({ project, from, kind, requests }));
    await expect.poll(told, { timeout: 15_000 }).not.toEqual([]);
    expect(told()).toEqual([{ project: 'demo', from: 'team-a', kind: 'service', requests: 2 }]);
  });

  test('a project of the name of what every object has is nobody’s who is not named its member', async () => {
    await start({ invoker: 'members' }, { project: 'constructor' });
    const as = async (projects: Record<string, string>) =>
      (await call('/', { headers: { authorization: `Bearer ${await token({ projects })}` } })).status;
    expect([await as({}), await as({ constructor: 'viewer' })]).toEqual([403, 200]);
  });

  test('a token that expires while its connection is kept is refused with the next request on it', async () => {
    let later = 0;
    await start({ invoker: 'members' }, { clock: { ...systemClock, now: () => systemClock.now() + later } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      const authorization = `Bearer ${await token()}`;
      const ask = () =>
        new Promise<[status: number, kept: boolean]>((resolve, reject) => {
          const headers = { host: 'hello.demo.localhost', authorization };
          const sent = get({ port: guarded.running.port, host: '127.0.0.1', agent, headers }, (response) => {
            response.resume();
            response.on('end', () => resolve([response.statusCode ?? 0, sent.reusedSocket]));
          });
          sent.on('error', reject);
        });
      expect(await ask()).toEqual([200, false]);
      expect(await ask()).toEqual([200, true]);
      later = 300_000;
      expect(await ask()).toEqual([401, true]);
      expect(guarded.echo.seen).toHaveLength(2);
    } finally {
      agent.destroy();
    }
  });

  test('two Authorization headers are no request', async () => {
    await start({ invoker: 'members' });
    const { text } = await exchangeRaw(guarded.running.port, [
      `GET / HTTP/1.1\r\nHost: hello.demo.localhost\r\nAuthorization: Bearer ${await token()}\r\nAuthorization: x\r\n\r\n`,
    ]);
    expect(text).toMatch(/^HTTP\/1.1 400 /);
  });
});

test('a service that a team runs itself is reached by its name, by members only, and by nobody when it is gone', async () => {
  await start({});
  const headers = { authorization: `Bearer ${await token()}` };
  const host = 'mailer.demo.localhost';
  expect((await call('/', { host, headers })).status).toBe(404);
  guarded.running.control.register([
    { project: 'demo', name: 'mailer', copies: [{ id: 'one', address: '127.0.0.1', port: guarded.echo.port }] },
  ]);
  await expect.poll(async () => (await call('/hello', { host, headers })).status, { timeout: 10_000 }).toBe(200);
  expect(guarded.echo.seen.at(-1)).toMatchObject({ url: '/hello', headers: { host } });
  expect((await call('/', { host })).status).toBe(401);
  const stranger = { authorization: `Bearer ${await token({ projects: { other: 'owner' } })}` };
  expect((await call('/', { host, headers: stranger })).status).toBe(403);
  guarded.running.control.register([]);
  await expect.poll(async () => (await call('/', { host, headers })).status, { timeout: 10_000 }).toBe(404);
});
