import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw } from '../harness/raw-client.ts';

async function startInstance(handler: Parameters<typeof createServer>[1]) {
  const server = createServer({}, handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function get(port: number, path = '/', init: RequestInit & { host?: string } = {}) {
  const { host = 'hello.demo.localhost', ...rest } = init;
  return fetch(`http://127.0.0.1:${port}${path}`, { ...rest, headers: { host, ...rest.headers } });
}

test('a request reaches the instance of its host with forwarding headers, and its answer comes back', async () => {
  const instance = await startInstance((request, response) => {
    response.setHeader('x-seen', JSON.stringify(request.headers));
    response.end(`hello ${request.method} ${request.url}`);
  });
  const running = await startGateway([route([target([instance.port])])]);
  try {
    const { request } = await import('node:http');
    const seen = await new Promise<{ text: string; headers: Record<string, string>; status: number }>(
      (resolve, reject) => {
        request(
          { port: running.port, host: '127.0.0.1', path: '/a?b=1', headers: { host: 'hello.demo.localhost' } },
          (response) => {
            let text = '';
            response.on('data', (chunk) => {
              text += String(chunk);
            });
            response.on('end', () =>
              resolve({
                text,
                headers: JSON.parse(String(response.headers['x-seen'])),
                status: response.statusCode ?? 0,
              }),
            );
          },
        )
          .on('error', reject)
          .end();
      },
    );
    expect(seen.status).toBe(200);
    expect(seen.text).toBe('hello GET /a?b=1');
    expect(seen.headers).toMatchObject({
      host: 'hello.demo.localhost',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'hello.demo.localhost',
      forwarded: 'for=127.0.0.1;host="hello.demo.localhost";proto=http',
      via: '1.1 skyrun',
    });
    expect(seen.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  } finally {
    await running.close();
    await instance.close();
  }
});

test('platform paths go to their owner, unknown ones are problems', async () => {
  const running = await startGateway([]);
  try {
    const me = await get(running.port, '/api/v1/me', { host: 'localhost' });
    expect(await me.json()).toMatchObject({ path: '/api/v1/me' });
    const unknown = await get(running.port, '/api/v1/nothing');
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ code: 'resource.not_found' });
    expect((await get(running.port, '/internal/v1/routes')).status).toBe(404);
    expect((await get(running.port, '/')).status).toBe(503);
  } finally {
    await running.close();
  }
});

test('with the control plane gone the API answers 503 at once, every time, and services go on', async () => {
  const instance = await startInstance((_request, response) => response.end('still here'));
  const running = await startGateway([route([target([instance.port])])]);
  try {
    await running.control.close();
    for (let index = 0; index < 5; index += 1) {
      const started = performance.now();
      const response = await get(running.port, '/api/v1/me');
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ code: 'platform.unavailable' });
      expect(performance.now() - started).toBeLessThan(5_000);
    }
    const { text } = await exchangeRaw(running.port, [
      'GET / HTTP/1.1\r\nHost: hello.demo.localhost\r\nConnection: close\r\n\r\n',
    ]);
    expect(text.endsWith('still here\r\n0\r\n\r\n') || text.endsWith('still here')).toBe(true);
  } finally {
    await running.close();
    await instance.close();
  }
});

test('an instance that begins to listen late serves all who wait at once, not one after the other', async () => {
  const late = await startInstance(() => undefined);
  const { port } = late;
  await late.close();
  const running = await startGateway([route([target([port])])]);
  const server = createServer((_request, response) => setTimeout(() => response.end('ok'), 500));
  try {
    const answers = Array.from({ length: 20 }, () =>
      exchangeRaw(running.port, ['GET / HTTP/1.1\r\nHost: hello.demo.localhost\r\nConnection: close\r\n\r\n'], {
        waitMs: 20_000,
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const listening = performance.now();
    for (const { text } of await Promise.all(answers)) expect(text).toContain('200 OK');
    // One after the other they would take ten seconds.
    expect(performance.now() - listening).toBeLessThan(9_000);
  } finally {
    await running.close();
    server.close();
    server.closeAllConnections();
  }
});
