import { rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { ALL_OPERATIONS } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { startEcho } from '../harness/echo-instance.ts';
import { route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw, statusOf } from '../harness/raw-client.ts';
import { API_PLACES } from '../platform/api-places.ts';
import { isTenantHost, pickTarget } from './hosts.ts';
import { createPlatformPaths } from './platform-paths.ts';

const paths = createPlatformPaths(API_PLACES);

test.each([
  ['/api/v1/projects', 'identity'],
  ['/api/v1/projects/demo', 'identity'],
  ['/api/v1/projects/demo/members/usr_1', 'identity'],
  ['/api/v1/projects/demo/services', 'registry'],
  ['/api/v1/projects/demo/services/hello', 'registry'],
  ['/api/v1/projects/demo/services/hello/logs', 'orchestrator'],
  ['/api/v1/projects/demo/costs', 'billing'],
  ['/api/v1/events', 'events'],
  ['/socket.io/', 'events'],
  ['/socket.io', 'events'],
  ['/api', 'unknown'],
  ['/api/v1/projects/', 'unknown'],
  ['/api/v1/projects//services', 'unknown'],
  ['/api/v1/projects/demo/services/hello/nothing', 'unknown'],
  ['/api/../internal/v1/routes', 'unknown'],
  ['/internal', 'unknown'],
  ['/internal/v1/routes', 'unknown'],
  ['/socket.iox', 'assets'],
  ['/apix', 'assets'],
  ['/', 'assets'],
  ['/projects/demo', 'assets'],
])('%s belongs to %s', (path, owner) => {
  const place = paths(path);
  expect(place.kind === 'service' ? place.service : place.kind).toBe(owner);
});

test('every operation that is not internal is reached', () => {
  for (const operation of ALL_OPERATIONS) {
    const place = paths(operation.path.replace(/\{\w+\}/g, 'x'));
    expect(place).toEqual(
      operation.permission === 'internal' ? { kind: 'unknown' } : { kind: 'service', service: operation.service },
    );
  }
});

test.each([
  [[{ percent: 100 }], 0.99, 0],
  [[{ percent: 30 }, { percent: 70 }], 0.29, 0],
  [[{ percent: 30 }, { percent: 70 }], 0.31, 1],
  [[{ percent: 0 }, { percent: 100 }], 0, 1],
  [[{ percent: 0 }], 0.5, null],
  [[], 0.5, null],
])('%j at %f goes to %s', (targets, point, index) => {
  expect(pickTarget(targets, point)).toBe(index === null ? null : targets[index]);
});

test.each([
  ['hello.demo.localhost', true],
  ['localhost', false],
  ['.localhost', false],
  ['evillocalhost', false],
  ['127.0.0.1', false],
])('%s is a tenant’s host: %s', (host, expected) => {
  expect(isTenantHost(host, 'localhost')).toBe(expected);
});

test('a host has its own route, then that of all names one label below another; nothing else', async () => {
  const echoes = await Promise.all([startEcho(), startEcho()]);
  const [own, wild] = echoes.map(({ port }) => port);
  const other = { revisionId: 'rev_01890000-0000-7000-8000-000000000002' };
  const exact = route([target([own ?? 0])], 'www.example.com');
  const running = await startGateway([exact, route([target([wild ?? 0], other)], '*.example.com')]);
  const portOf = async (host: string): Promise<number> => {
    for (const echo of echoes) echo.reset();
    await exchangeRaw(running.port, [`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`]);
    return echoes.find(({ seen }) => seen.length > 0)?.port ?? 0;
  };
  try {
    expect(await portOf('www.example.com')).toBe(own);
    expect(await portOf('WWW.EXAMPLE.COM:8443')).toBe(own);
    expect(await portOf('shop.example.com')).toBe(wild);
    for (const host of ['example.com', 'a.shop.example.com', 'shop.example.org']) expect(await portOf(host)).toBe(0);
    running.control.change([], ['www.example.com']);
    await expect.poll(() => portOf('www.example.com'), { timeout: 10_000 }).toBe(wild);
    running.control.change([], ['*.example.com']);
    await expect.poll(() => portOf('shop.example.com'), { timeout: 10_000 }).toBe(0);
  } finally {
    await running.close();
    for (const echo of echoes) await echo.close();
  }
});

test('routes are swapped and instances replaced under load without one failed request', async () => {
  const echoes = await Promise.all([startEcho(), startEcho(), startEcho()]);
  const ports = echoes.map((echo) => echo.port);
  const running = await startGateway([route([target(ports.slice(0, 1))])]);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const statuses = new Map<number, number>();
  let stop = false;
  const worker = async () => {
    while (!stop) {
      const status = await new Promise<number>((resolve) => {
        request(
          { agent, port: running.port, host: '127.0.0.1', method: 'POST', headers: { host: 'hello.demo.localhost' } },
          (response) => {
            response.resume();
            response.on('end', () => resolve(response.statusCode ?? 0));
          },
        )
          .on('error', () => resolve(-1))
          .end('body');
      });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  try {
    const workers = Array.from({ length: 8 }, worker);
    for (let version = 2; version < 40; version += 1) {
      const first = version % 3;
      const chosen = version % 2 === 0 ? [ports[first] ?? 0] : [ports[first] ?? 0, ports[(first + 1) % 3] ?? 0];
      const options = version % 5 === 0 ? { revisionId: 'rev_01890000-0000-7000-8000-000000000002' } : {};
      running.control.change([route([target(chosen, options)])]);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    stop = true;
    await Promise.all(workers);
    expect([...statuses.keys()]).toEqual([200]);
    // At least one per change, however busy the machine is.
    expect(statuses.get(200)).toBeGreaterThan(38);
  } finally {
    agent.destroy();
    await running.close();
    for (const echo of echoes) await echo.close();
  }
});

test('with the registry gone and after a restart the last routes stay in force', async () => {
  const echo = await startEcho();
  const first = await startGateway([route([target([echo.port])])]);
  await new Promise((resolve) => setTimeout(resolve, 1300));
  const { dataDir } = first;
  await first.gateway.stop();
  await first.control.close();
  const second = await startGateway([], {
    dataDir,
    registry: {
      // biome-ignore lint/correctness/useYield: a registry that is gone yields nothing.
      async *stream() {
        throw new Error('gone');
      },
    },
  });
  try {
    const { text } = await exchangeRaw(second.port, [
      'GET / HTTP/1.1\r\nHost: hello.demo.localhost\r\nConnection: close\r\n\r\n',
    ]);
    expect(statusOf(text)).toBe(200);
    expect(second.gateway.ready().ok).toBe(true);
  } finally {
    await second.close();
    await echo.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});
