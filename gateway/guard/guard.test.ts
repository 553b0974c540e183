import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { useGuardedGateway } from '../harness/guarded-gateway.ts';
import { exchangeRaw } from '../harness/raw-client.ts';

const guarded = useGuardedGateway();
const { call, start } = guarded;

test('only addresses that are allowed, none that are denied', async () => {
  await start({ allow: ['10.0.0.0/8', '127.0.0.0/8'], deny: ['127.0.0.1'] });
  const refused = await call('/');
  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject({ code: 'gateway.address_refused' });
  expect(guarded.echo.seen).toHaveLength(0);
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
    expect(guarded.echo.seen).toHaveLength(0);
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
  expect(guarded.echo.seen).toHaveLength(0);
});

test.each([
  ['of known length', { 'content-length': '11' }],
  ['of unknown length', { 'transfer-encoding': 'chunked' }],
])('a body that is too large, %s, is answered with 413', async (_name, fields) => {
  await start({ maxRequestBytes: 10 });
  const [[name, value] = ['', '']] = Object.entries(fields);
  const body = name === 'content-length' ? '01234567890' : '4\r\n0123\r\n7\r\n4567890\r\n0\r\n\r\n';
  const { text } = await exchangeRaw(guarded.running.port, [
    `POST / HTTP/1.1\r\nHost: hello.demo.localhost\r\n${name}: ${value}\r\nConnection: close\r\n\r\n`,
    body,
  ]);
  expect(text).toMatch(/^HTTP\/1.1 413 /);
  const small = await call('/', { method: 'POST', body: '0123456789' });
  expect(small.status).toBe(200);
});

test('a browser sees a page that reloads itself while nothing is ready, and the service is activated', async () => {
  await start({ waitingPage: true }, { ports: [] });
  const page = await call('/', { headers: { accept: 'text/html' } });
  expect(page.status).toBe(503);
  expect(page.headers.get('refresh')).toBe('1');
  expect(await page.text()).toContain('hello is starting');
  await expect
    .poll(() => guarded.running.control.reports.flatMap((report) => report.revisions).some((one) => one.current > 0))
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
  await start(
    { firstByteTimeoutMs: 300, idleTimeoutMs: 300 },
    {
      ports: [typeof address === 'object' && address ? address.port : 0],
    },
  );
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
  await start(
    { breaker: { failureRatio: 0.5, minRequests: 5 } },
    {
      ports: [typeof address === 'object' && address ? address.port : 0],
    },
  );
  for (let count = 0; count < 5; count += 1) expect((await call('/')).status).toBe(500);
  const refused = await call('/');
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ code: 'gateway.circuit_open' });
  const metrics = `http://127.0.0.1:${guarded.running.gateway.adminAddress().port}/metrics`;
  const open = async () => /_instances\{breaker="open"\} (\d)/.exec(await (await fetch(metrics)).text())?.[1];
  expect(await open()).toBe('1');
  // The one that tries is answered by the instance, and one bad answer of it keeps the others away as before.
  await expect.poll(async () => (await call('/')).status, { timeout: 20_000 }).toBe(500);
  expect(await open()).toBe('1');
  status = 200;
  await expect.poll(async () => (await call('/')).status, { timeout: 20_000 }).toBe(200);
  expect(await open()).toBe('0');
  const types = () => guarded.running.published.map(({ type }) => type).filter((type) => type.includes('.instance.'));
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
  await start(
    { cors: { origins: ['https://shop.example'] } },
    {
      ports: [typeof address === 'object' && address ? address.port : 0],
    },
  );
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
