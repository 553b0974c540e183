import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { servicePolicy } from '@skyrun/contracts';
import { afterEach, expect, test, vi } from 'vitest';
import { type RunningGateway, route, startGateway, target } from '../harness/gateway.ts';

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function startInstance(status: number): Promise<number> {
  const server = createServer((_request, response) => response.writeHead(status).end('said'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ended.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return (server.address() as AddressInfo).port;
}

async function start(...routes: Parameters<typeof startGateway>[0]): Promise<RunningGateway> {
  const running = await startGateway(routes);
  ended.push(() => running.close());
  return running;
}

const ask = (port: number) =>
  new Promise<number>((resolve, reject) => {
    get({ host: '127.0.0.1', port, headers: { host: 'hello.demo.localhost' } }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    }).on('error', reject);
  });

test('an operator is shown services, clients and limits with what they did since the last view', async () => {
  const policy = servicePolicy.parse({ rateLimits: [{ name: 'calls', requests: 2, windowSeconds: 3600 }] });
  const { port, control } = await start({ ...route([target([await startInstance(200)])]), policy });
  expect(await Promise.all([ask(port), ask(port), ask(port)])).toEqual(expect.arrayContaining([200, 200, 429]));
  const seen = await vi.waitFor(
    () => {
      const all = control.views;
      const services = all.flatMap((view) => view.services);
      expect(services.reduce((sum, { requests }) => sum + requests, 0)).toBe(2);
      return { all, services };
    },
    { timeout: 15_000, interval: 50 },
  );
  expect(seen.services[0]).toMatchObject({
    project: 'demo',
    service: 'hello',
    revision: 'hello-00001',
    errors: 0,
    ready: 1,
  });
  const limits = seen.all.flatMap((view) => view.limits);
  expect(limits).toEqual([{ project: 'demo', service: 'hello', limit: 'calls', per: 'address', refused: 1 }]);
  const clients = seen.all.flatMap((view) => view.clients);
  expect(clients.map(({ address }) => address)).toContain('127.0.0.1');
  expect(clients.reduce((sum, { requests }) => sum + requests, 0)).toBe(3);
  expect(seen.all.at(-1)).toMatchObject({ gateway: 'test', routes: 1, registryLive: true, sharedLimits: 'alone' });
  expect(seen.all.at(-1)?.residentBytes).toBeGreaterThan(1_000_000);
});

test('an instance whose breaker is open is named until it leaves its route', async () => {
  const failing = await startInstance(503);
  const healthy = await startInstance(200);
  const policy = servicePolicy.parse({ breaker: { failureRatio: 0.5, minRequests: 1 } });
  const { port, control } = await start({ ...route([target([failing, healthy])]), policy });
  await vi.waitFor(
    async () => {
      await ask(port);
      expect(control.views.at(-1)?.ejected).toMatchObject([{ service: 'hello', revision: 'hello-00001' }]);
    },
    { timeout: 15_000, interval: 50 },
  );
  control.change([{ ...route([target([healthy])]), policy }]);
  await vi.waitFor(() => expect(control.views.at(-1)?.ejected).toEqual([]), { timeout: 15_000, interval: 50 });
});
