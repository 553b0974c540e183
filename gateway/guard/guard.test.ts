import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, request } from 'node:http';
import { servicePolicy, TOKEN_AUDIENCE, TOKEN_ISSUER } from '@skyrun/contracts';
import { exportJWK, SignJWT } from 'jose';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { type EchoInstance, startEcho } from '../harness/echo-instance.ts';
import { type RunningGateway, route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw } from '../harness/raw-client.ts';

let running: RunningGateway;
let echo: EchoInstance;
let privateKey: KeyObject;
let publicKey: KeyObject;
let used: string[] = [];
const apiKeyOf = (letter: string) => `sk_${letter.repeat(43)}`;
const knownKey = (letter: string, project: string, until: string | null = null) => ({
  digest: createHash('sha256').update(apiKeyOf(letter)).digest('hex'),
  id: `key_01890000-0000-7000-8000-00000000000${letter}`,
  name: `team-${letter}`,
  project,
  until,
});
const apiKeys = [knownKey('a', 'demo'), knownKey('b', 'other'), knownKey('c', 'demo', '2020-01-01T00:00:00.000Z')];

beforeAll(() => {
  ({ privateKey, publicKey } = generateKeyPairSync('ed25519'));
});

afterEach(async () => {
  await running.close();
  await echo.close();
});

async function start(policy: z.input<typeof servicePolicy>, ports?: number[]): Promise<void> {
  echo = await startEcho();
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'EdDSA' }];
  running = await startGateway(
    [
      { ...route([target(ports ?? [echo.port])]), policy: servicePolicy.parse(policy) },
      route([target([echo.port], { revisionId: 'rev_01890000-0000-7000-8000-000000000009' })], 'free.demo.localhost'),
    ],
    {
      identity: {
        call: (operation: { id: string }, input: { body: { used: string[] } }) => {
          if (operation.id !== 'syncApiKeys') return Promise.resolve({ keys });
          used.push(...input.body.used);
          return Promise.resolve({ version: '1', keys: apiKeys });
        },
      } as never,
    },
  );
}

interface Call {
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** As `fetch`, which would not send our Host. */
function call(path = '/', options: Call = {}): Promise<Response> {
  const { host = 'hello.demo.localhost', headers = {}, method = 'GET', body } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      { port: running.port, host: '127.0.0.1', path, method, headers: { ...headers, host }, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          text += piece;
        });
        response.on('error', reject);
        response.on('end', () => {
          const fields = new Headers();
          for (let index = 0; index + 1 < response.rawHeaders.length; index += 2) {
            fields.append(response.rawHeaders[index] ?? '', response.rawHeaders[index + 1] ?? '');
          }
          const status = response.statusCode ?? 0;
          resolve(new Response(status === 204 ? null : text, { status, headers: fields }));
        });
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

function token(
  claims: Record<string, unknown> = {},
  options: { key?: KeyObject; audience?: string; exp?: string } = {},
) {
  return new SignJWT({ email: 'a@b.test', admin: false, projects: { demo: 'viewer' }, ...claims })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'one' })
    .setSubject('usr_1')
    .setIssuer(TOKEN_ISSUER)
    .setAudience(options.audience ?? TOKEN_AUDIENCE)
    .setIssuedAt()
    .setExpirationTime(options.exp ?? '5m')
    .sign(options.key ?? privateKey);
}

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
  expect(echo.seen).toHaveLength(5);
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

test('only addresses that are allowed, none that are denied', async () => {
  await start({ allow: ['10.0.0.0/8', '127.0.0.0/8'], deny: ['127.0.0.1'] });
  const refused = await call('/');
  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject({ code: 'gateway.address_refused' });
  expect(echo.seen).toHaveLength(0);
});

describe('members only', () => {
  test('a member comes through, and the instance cannot use the token', async () => {
    await start({ invoker: 'members' });
    const signed = await token();
    const response = await call('/', { headers: { authorization: `Bearer ${signed}` } });
    expect(response.status).toBe(200);
    const [head, body] = signed.split('.');
    expect(echo.seen[0]?.headers.authorization).toBe(`Bearer ${head}.${body}.SIGNATURE_REMOVED`);
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
    ['a name of Object', async () => `Bearer ${await token({ projects: {} })}`, 403, 'auth.forbidden'],
  ])('%s is refused', async (_name, authorization, status, code) => {
    await start({ invoker: 'members' });
    const value = await authorization();
    const response = await call('/', { headers: value === '' ? {} : { authorization: value } });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
    expect(response.headers.get('www-authenticate') !== null).toBe(status === 401);
    expect(echo.seen).toHaveLength(0);
  });

  test.each([
    ['x-api-key', (key: string) => ({ 'x-api-key': key })],
    ['authorization', (key: string) => ({ authorization: `Bearer ${key}` })],
  ])('an API key of the project in %s comes through, and the instance does not see it', async (field, send) => {
    used = [];
    await start({ invoker: 'members' });
    const asked = () => call('/', { headers: send(apiKeyOf('a')) });
    await expect.poll(async () => (await asked()).status, { timeout: 10_000 }).toBe(200);
    expect(echo.seen.at(-1)?.headers[field]).toMatch(/sk_REMOVED$/);
    expect(JSON.stringify(echo.seen)).not.toContain(apiKeyOf('a'));
    await expect.poll(() => used, { timeout: 10_000 }).toContain(apiKeys[0]?.id);
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
    expect(echo.seen.at(-1)?.headers['x-api-key']).toBe(apiKeyOf('a'));
  });

  test('who calls by an API key of the project is told, of services that ask nothing, too', async () => {
    await start({ invoker: 'members' });
    const asked = (host?: string) => call('/', { headers: { 'x-api-key': apiKeyOf('a') }, ...(host ? { host } : {}) });
    await expect.poll(async () => (await asked()).status, { timeout: 10_000 }).toBe(200);
    await asked('free.demo.localhost');
    await call('/', { host: 'free.demo.localhost', headers: { 'x-api-key': apiKeyOf('b') } });
    const told = () =>
      running.published
        .flatMap((event) => (event.type === 'skyrun.calls.observed.v1' ? event.data.calls : []))
        .map(({ project, from, kind, requests }) => ({ project, from, kind, requests }));
    await expect.poll(told, { timeout: 15_000 }).not.toEqual([]);
    expect(told()).toEqual([{ project: 'demo', from: 'team-a', kind: 'service', requests: 2 }]);
  });

  test('two Authorization headers are no request', async () => {
    await start({ invoker: 'members' });
    const { text } = await exchangeRaw(running.port, [
      `GET / HTTP/1.1\r\nHost: hello.demo.localhost\r\nAuthorization: Bearer ${await token()}\r\nAuthorization: x\r\n\r\n`,
    ]);
    expect(text).toMatch(/^HTTP\/1.1 400 /);
  });
});

describe('CORS', () => {
  const CORS = { origins: ['https://shop.example'], headers: ['content-type'], credentials: true };

  test('a preflight is answered here; a request of the origin is readable, of another not', async () => {
    await start({ cors: CORS, rateLimits: [{ requests: 1, windowSeconds: 60 }] });
    const preflight = await call('/', {
      method: 'OPTIONS',
      headers: { origin: 'https://shop.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, HEAD, POST');
    expect(preflight.headers.get('access-control-allow-headers')).toBe('content-type');
    expect(echo.seen).toHaveLength(0);
    const own = await call('/', { headers: { origin: 'https://shop.example' } });
    expect(own.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(own.headers.get('access-control-allow-credentials')).toBe('true');
    // The page must be able to read why.
    const limited = await call('/', { headers: { origin: 'https://shop.example' } });
    expect(limited.status).toBe(429);
    expect(limited.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    const other = await call('/', { headers: { origin: 'https://evil.example' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    expect(other.headers.get('vary')).toBe('Origin');
  });

  // What a cache kept of a request of no page, it would otherwise give to one.
  test.each([
    [['https://shop.example'], 'vary', 'Origin'],
    [['*'], 'access-control-allow-origin', '*'],
  ])('a request of no page is answered with the same in mind: %s', async (origins, field, value) => {
    await start({ cors: { origins } });
    const { headers } = await call('/');
    expect(headers.get(field)).toBe(value);
    expect(headers.get('access-control-allow-origin')).toBe(origins.includes('*') ? '*' : null);
  });
});

test('maintenance answers with its message, and no instance is asked', async () => {
  await start({ maintenance: { message: 'Back at noon.' } });
  const response = await call('/', { headers: { accept: 'text/html' } });
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('60');
  expect(await response.text()).toContain('Back at noon.');
  expect(echo.seen).toHaveLength(0);
});

test.each([
  ['of known length', { 'content-length': '11' }],
  ['of unknown length', { 'transfer-encoding': 'chunked' }],
])('a body that is too large, %s, is answered with 413', async (_name, fields) => {
  await start({ maxRequestBytes: 10 });
  const [[name, value] = ['', '']] = Object.entries(fields);
  const body = name === 'content-length' ? '01234567890' : '4\r\n0123\r\n7\r\n4567890\r\n0\r\n\r\n';
  const { text } = await exchangeRaw(running.port, [
    `POST / HTTP/1.1\r\nHost: hello.demo.localhost\r\n${name}: ${value}\r\nConnection: close\r\n\r\n`,
    body,
  ]);
  expect(text).toMatch(/^HTTP\/1.1 413 /);
  const small = await call('/', { method: 'POST', body: '0123456789' });
  expect(small.status).toBe(200);
});

test('a browser sees a page that reloads itself while nothing is ready, and the service is activated', async () => {
  await start({ waitingPage: true }, []);
  const page = await call('/', { headers: { accept: 'text/html' } });
  expect(page.status).toBe(503);
  expect(page.headers.get('refresh')).toBe('1');
  expect(await page.text()).toContain('hello is starting');
  await expect
    .poll(() => running.control.reports.flatMap((report) => report.revisions).some((one) => one.current > 0))
    .toBe(true);
});

test('the first byte and the gaps of a response are bounded', async () => {
  const slow = createServer((request, response) => {
    if (request.url === '/trickle') {
      response.write('begun');
      setTimeout(() => response.end('late'), 5000).unref();
    }
  });
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  const address = slow.address();
  await start({ firstByteTimeoutMs: 300, idleTimeoutMs: 300 }, [
    typeof address === 'object' && address ? address.port : 0,
  ]);
  const late = await call('/');
  expect(late.status).toBe(504);
  expect(await late.json()).toMatchObject({ code: 'gateway.upstream_timeout' });
  await expect(call('/trickle').then((response) => response.text())).rejects.toThrow();
  slow.closeAllConnections();
  await new Promise((resolve) => slow.close(resolve));
});

test('where most answers fail, callers hear at once and the event is published; it is tried again', async () => {
  let status = 500;
  const failing = createServer((_request, response) => response.writeHead(status).end());
  await new Promise<void>((resolve) => failing.listen(0, '127.0.0.1', resolve));
  const address = failing.address();
  await start({ breaker: { failureRatio: 0.5, minRequests: 5 } }, [
    typeof address === 'object' && address ? address.port : 0,
  ]);
  for (let count = 0; count < 5; count += 1) expect((await call('/')).status).toBe(500);
  const refused = await call('/');
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ code: 'gateway.circuit_open' });
  status = 200;
  await expect.poll(async () => (await call('/')).status, { timeout: 5000 }).toBe(200);
  const types = () => running.published.map(({ type }) => type).filter((type) => type.includes('.instance.'));
  await expect.poll(types).toEqual(['skyrun.instance.ejected.v1', 'skyrun.instance.admitted.v1']);
  failing.closeAllConnections();
  await new Promise((resolve) => failing.close(resolve));
});

test('where the policy says which pages may read responses, what the instance says of it is left out', async () => {
  const instance = createServer((_request, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('Access-Control-Expose-Headers', 'X-All');
    response.setHeader('X-Other', 'kept');
    response.end('ok');
  });
  await new Promise<void>((resolve) => instance.listen(0, '127.0.0.1', resolve));
  const address = instance.address();
  await start({ cors: { origins: ['https://shop.example'] } }, [
    typeof address === 'object' && address ? address.port : 0,
  ]);
  const of = async (origin: string) => {
    const { headers } = await call('/', { headers: { origin } });
    return {
      origin: headers.get('access-control-allow-origin'),
      credentials: headers.get('access-control-allow-credentials'),
      exposed: headers.get('access-control-expose-headers'),
      other: headers.get('x-other'),
    };
  };
  const none = { credentials: null, exposed: null, other: 'kept' };
  expect(await of('https://shop.example')).toEqual({ ...none, origin: 'https://shop.example' });
  expect(await of('https://evil.example')).toEqual({ ...none, origin: null });
  instance.closeAllConnections();
  await new Promise((resolve) => instance.close(resolve));
});

test('a service that a team runs itself is reached by its name, by members only, and by nobody when it is gone', async () => {
  await start({});
  const headers = { authorization: `Bearer ${await token()}` };
  const host = 'mailer.demo.localhost';
  expect((await call('/', { host, headers })).status).toBe(404);
  running.control.register([
    { project: 'demo', name: 'mailer', copies: [{ id: 'one', address: '127.0.0.1', port: echo.port }] },
  ]);
  await expect.poll(async () => (await call('/hello', { host, headers })).status, { timeout: 10_000 }).toBe(200);
  expect(echo.seen.at(-1)).toMatchObject({ url: '/hello', headers: { host } });
  expect((await call('/', { host })).status).toBe(401);
  const stranger = { authorization: `Bearer ${await token({ projects: { other: 'owner' } })}` };
  expect((await call('/', { host, headers: stranger })).status).toBe(403);
  running.control.register([]);
  await expect.poll(async () => (await call('/', { host, headers })).status, { timeout: 10_000 }).toBe(404);
});
