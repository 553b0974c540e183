import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { steady } from './arrivals.ts';
import { type KeptLoadOptions, runKeptLoad } from './run-kept.ts';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

async function load(listener: RequestListener, options: Partial<KeptLoadOptions> = {}) {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return runKeptLoad({
    connect: { host: '127.0.0.1', port },
    hostHeader: 'web.demo.localhost',
    path: '/',
    arrivals: steady({ requestsPerSecond: 100, durationMs: 300 }),
    countFromMs: 0,
    connections: 5,
    timeoutMs: 10_000,
    ...options,
  });
}

function answer(text: string): RequestListener {
  return (_request, response) => void response.writeHead(200, { 'content-length': text.length }).end(text);
}

test('every request is sent once, by its outcome, for the given host, over as many connections', async () => {
  const hosts = new Set<string | undefined>();
  const ports = new Set<number | undefined>();
  let seen = 0;
  const report = await load((request, response) => {
    hosts.add(request.headers.host);
    ports.add(request.socket.remotePort);
    seen += 1;
    response.writeHead(seen % 3 === 0 ? 500 : 200, { 'content-length': 5 }).end('hello');
  });
  expect(report).toMatchObject({ requests: 30, ok: 20, outcomes: { 200: 20, 500: 10 } });
  expect(seen).toBe(30);
  expect([...hosts]).toEqual(['web.demo.localhost']);
  expect(ports.size).toBe(5);
});

test('what warms up is sent and does not count', async () => {
  let seen = 0;
  const report = await load(
    (request, response) => {
      seen += 1;
      answer('ok')(request, response);
    },
    { countFromMs: 100 },
  );
  expect(seen).toBe(30);
  expect(report.requests).toBe(20);
});

test('a stall counts against every request that was due during it, also those that found no connection free', async () => {
  let first: number | undefined;
  const report = await load(
    (request, response) => {
      first ??= performance.now();
      setTimeout(() => answer('ok')(request, response), Math.max(0, 200 - (performance.now() - first)));
    },
    { connections: 1 },
  );
  // Due every 10 ms, and none answered for 200: a closed loop would have seen one slow one.
  expect(report.ok).toBe(30);
  expect(report.latencyMs.p50).toBeGreaterThan(20);
  expect(report.latencyMs.max).toBeGreaterThan(150);
});

test('broken connections, answers without a length and no answers are errors by name', async () => {
  const cut = await load((request) => void request.socket.destroy());
  expect(cut.ok).toBe(0);
  expect(cut.requests).toBe(30);
  expect(cut.outcomes).toHaveProperty('ECONNRESET');
  const chunked: RequestListener = (_request, response) => {
    response.write('a chunk');
    response.end();
  };
  const endless = await load(chunked, { arrivals: steady({ requestsPerSecond: 10, durationMs: 100 }) });
  expect(endless).toMatchObject({ requests: 1, ok: 0, outcomes: { LENGTH: 1 } });
  const late = await load(() => undefined, {
    timeoutMs: 300,
    connections: 1,
    arrivals: steady({ requestsPerSecond: 10, durationMs: 200 }),
  });
  expect(late).toMatchObject({ requests: 2, ok: 0, outcomes: { TIMEOUT: 2 } });
});
