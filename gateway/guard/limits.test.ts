import { expect, test } from 'vitest';
import { apiKeyOf, useGuardedGateway } from '../harness/guarded-gateway.ts';

const guarded = useGuardedGateway();
const { call, start, token } = guarded;

test('a limit of some methods leaves the others alone', async () => {
  await start({ rateLimits: [{ requests: 1, windowSeconds: 60, methods: ['POST', 'PUT'] }] });
  const post = () => call('/api/x', { method: 'POST' });
  expect([(await post()).status, (await post()).status, (await call('/api/x')).status]).toEqual([200, 429, 200]);
  expect((await call('/api/x')).headers.get('ratelimit')).toBeNull();
});

test('a limit counts down in RateLimit, then answers 429 with Retry-After; other services and paths go on', async () => {
  await start({ rateLimits: [{ requests: 3, windowSeconds: 60, pathPrefix: '/api' }] });
  const left: (string | null)[] = [];
  for (let count = 0; count < 3; count += 1) {
    const response = await call('/api/x');
    expect(response.status).toBe(200);
    expect(response.headers.get('ratelimit-policy')).toBe('"default";q=3;w=60');
    left.push(response.headers.get('ratelimit'));
  }
  expect(left).toEqual(['"default";r=2;t=20', '"default";r=1;t=40', '"default";r=0;t=60']);
  const refused = await call('/api/x');
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('20');
  expect(refused.headers.get('ratelimit')).toMatch(/^"default";r=0;t=\d+$/);
  expect(await refused.json()).toMatchObject({ code: 'gateway.rate_limited' });
  expect((await call('/other')).status).toBe(200);
  expect((await call('/api/x', { host: 'free.demo.localhost' })).status).toBe(200);
  expect(guarded.echo.seen).toHaveLength(5);
});

test('callers are told apart by their credentials, which only the instance sees', async () => {
  await start({ rateLimits: [{ per: 'caller', requests: 1, windowSeconds: 3600 }] });
  expect((await call('/', { headers: { 'x-api-key': 'one' } })).status).toBe(200);
  expect((await call('/', { headers: { 'x-api-key': 'one' } })).status).toBe(429);
  expect((await call('/', { headers: { authorization: 'Basic b25l' } })).status).toBe(200);
  expect((await call('/')).status).toBe(200);
  expect((await call('/')).status).toBe(429);
});

test('a member has one bucket, however they spell what they prove it with', async () => {
  await start({ invoker: 'members', rateLimits: [{ per: 'caller', requests: 1, windowSeconds: 3600 }] });
  const key = apiKeyOf('a');
  expect((await call('/', { headers: { 'x-api-key': key } })).status).toBe(200);
  for (const headers of [
    { 'x-api-key': key, authorization: 'Basic b25l' },
    { authorization: `Bearer ${key}` },
    { authorization: `bearer  ${key}` },
  ]) {
    expect((await call('/', { headers })).status).toBe(429);
  }
  for (const status of [200, 429]) {
    expect((await call('/', { headers: { authorization: `Bearer ${await token({ jti: status })}` } })).status).toBe(
      status,
    );
  }
});

test('a limit of a path is one of everything that an instance may read as that path', async () => {
  await start({ rateLimits: [{ requests: 1, windowSeconds: 3600, pathPrefix: '/login' }] });
  expect((await call('/login')).status).toBe(200);
  expect((await call('/%6Cogin')).status).toBe(429);
  expect((await call('/other')).status).toBe(200);
});

test.each([
  ['a project', 'project', 429],
  ['a service', 'service', 200],
] as const)(
  'what one service of it has taken counts for another one where the limit is %s’s',
  async (_, per, status) => {
    const sibling = { host: 'other.demo.localhost', serviceId: 'svc_01890000-0000-7000-8000-000000000002' };
    await start({ rateLimits: [{ per, requests: 1, windowSeconds: 3600 }] }, { sibling });
    expect((await call('/')).status).toBe(200);
    expect((await call('/', { host: sibling.host })).status).toBe(status);
  },
);
