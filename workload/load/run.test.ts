import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@skyrun/kit';
import { afterEach, expect, test } from 'vitest';
import { steady } from './arrivals.ts';
import { type LoadOptions, runLoad } from './run.ts';

let server: Server | undefined;
afterEach(() => server?.close());

async function load(listener: RequestListener, options: Partial<LoadOptions> = {}) {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return runLoad({
    connect: { host: '127.0.0.1', port },
    hostHeader: 'web.demo.localhost',
    path: '/',
    method: 'GET',
    arrivals: steady({ requestsPerSecond: 100, durationMs: 300 }),
    timeoutMs: 1000,
    maxInFlight: 100,
    clock: systemClock,
    ...options,
  });
}

test('counts every request by outcome and asks for the given host', async () => {
  let seen = 0;
  const report = await load((request, response) => {
    seen += 1;
    expect(request.headers.host).toBe('web.demo.localhost');
    response.statusCode = seen % 3 === 0 ? 500 : 200;
    response.end('hello');
  });
  expect(report).toMatchObject({
    sent: 30,
    ok: 20,
    failed: 10,
    notSent: 0,
    bytes: 150,
    statuses: { 200: 20, 500: 10 },
  });
});

test('a stall counts against every request that was due during it', async () => {
  let first: number | undefined;
  const report = await load((_request, response) => {
    first ??= performance.now();
    const rest = 200 - (performance.now() - first);
    setTimeout(() => response.end(), Math.max(0, rest));
  });
  // Requests were due every 10 ms and the service answered none for 200 ms: a closed loop would have seen one slow one.
  expect(report.latencyMs.p50 ?? 0).toBeGreaterThan(20);
  expect(report.ok).toBe(30);
});

test('a cut connection and a time-out are errors by name', async () => {
  const cut = await load((request) => request.socket.destroy());
  expect(cut).toMatchObject({ ok: 0, failed: 30, errors: { ECONNRESET: 30 } });
  server?.close();
  const late = await load(() => undefined, {
    timeoutMs: 50,
    arrivals: steady({ requestsPerSecond: 10, durationMs: 200 }),
  });
  server?.closeAllConnections();
  expect(late).toMatchObject({ ok: 0, errors: { TIMEOUT: 2 } });
});

test('arrivals beyond the limit in flight are counted, not delayed', async () => {
  const report = await load((_request, response) => void setTimeout(() => response.end(), 250), { maxInFlight: 5 });
  expect(report.sent + report.notSent).toBe(30);
  expect(report.sent).toBeLessThan(15);
});
