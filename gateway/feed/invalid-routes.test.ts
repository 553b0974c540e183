import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Route, servicePolicy } from '@skyrun/contracts';
import { expect, onTestFinished, test, vi } from 'vitest';
import { route, startGateway, target } from '../harness/gateway.ts';
import { InvalidRoutes } from './invalid-routes.ts';
import { formerWith, readFrame } from './read-route.ts';

const OLD = 'old.demo.localhost';
const former: Route = { ...route([target([1001])], OLD), policy: servicePolicy.parse({ showCost: true }) };

test.each<[string, object, Partial<Route> | null]>([
  ['a field that is not valid stays as it was, the others are taken', { policy: 7, sticky: true }, { sticky: true }],
  [
    'revisions of an unknown kind stay, where their instances are now',
    { targets: [{ ...target([1002]), protocol: 'http3' }] },
    { targets: [target([1002])] },
  ],
  ['revisions that are no list stay', { targets: 7, blocked: 'spending_cap' }, { blocked: 'spending_cap' }],
  ['an instance that cannot be read leaves the former ones', { targets: [{ ...target([2]), instances: [{}] }] }, {}],
  ['what is absent is no more', { policy: undefined, targets: 7 }, { policy: undefined }],
  ['another service has nothing of it', { serviceId: 'svc_01890000-0000-7000-8000-000000000002', targets: 7 }, null],
])('of an invalid route: %s', (_, sent, expected) => {
  expect(formerWith(former, { ...former, ...sent })).toEqual(expected === null ? null : { ...former, ...expected });
});

test('the valid routes of a frame are taken and each other one is named by its first invalid field', () => {
  const read = readFrame({
    kind: 'snapshot',
    epoch: 'test',
    version: 1,
    routes: [former, { ...former, targets: [{ ...target([1]), percent: 'all' }] }, 'nonsense'],
  });
  expect(read.frame).toMatchObject({ routes: [former] });
  expect(read.invalid).toMatchObject([
    { host: OLD, project: 'demo', service: 'hello', field: 'targets.0.percent' },
    { host: null, project: null, service: null, field: 'route' },
  ]);
});

test('an invalid route is told once, again when it is another, and no more when it is valid or gone', () => {
  const told: unknown[] = [];
  const invalid = new InvalidRoutes({ error: (fields: unknown) => told.push(fields) });
  const change = (upserts: readonly unknown[], removes: readonly string[] = []) => {
    const read = readFrame({ kind: 'delta', epoch: 'test', version: 2, upserts: [...upserts], removes: [] });
    const valid = read.frame.kind === 'delta' ? read.frame.upserts : [];
    return invalid.settle({ kind: 'change', upserts: valid, removes }, read.invalid, () => former);
  };
  const bad = { ...former, policy: 7 };
  expect(change([bad])).toEqual({ kind: 'change', upserts: [former], removes: [] });
  change([bad]);
  expect(told).toMatchObject([{ host: OLD, field: 'policy' }]);
  expect([invalid.count, invalid.serving]).toEqual([1, 1]);
  expect(invalid.position({ epoch: 'test', version: 2 }).epoch).not.toBe('test');
  change([{ ...bad, policy: undefined, sticky: 'yes' }]);
  expect(told).toHaveLength(2);
  change([former]);
  expect([invalid.count, invalid.position({ epoch: 'test', version: 2 }).epoch]).toEqual([0, 'test']);
  change([bad]);
  change([], [OLD]);
  expect(invalid.count).toBe(0);
  expect(change([{ ...bad, serviceId: 'svc_01890000-0000-7000-8000-000000000002' }])).toEqual({
    kind: 'change',
    upserts: [],
    removes: [OLD],
  });
});

test('a snapshot of very many invalid routes is named in part, and counted whole', () => {
  const told: unknown[] = [];
  const invalid = new InvalidRoutes({ error: (fields: unknown) => told.push(fields) });
  const routes = Array.from({ length: 200 }, (_, index) => ({ host: `${index}.demo.localhost` }));
  const read = readFrame({ kind: 'snapshot', epoch: 'test', version: 1, routes });
  expect(invalid.settle({ kind: 'replace', routes: [] }, read.invalid, () => undefined)).toEqual({
    kind: 'replace',
    routes: [],
  });
  expect(told).toHaveLength(21);
  expect(told.at(-1)).toEqual({ routes: 180 });
  expect([invalid.count, invalid.serving, invalid.list().length]).toEqual([200, 0, 50]);
});

test('one invalid route takes no other with it, and is shown where an operator looks', async () => {
  const instance = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => instance.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => instance.close(resolve));
  });
  const address = instance.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const dataDir = await mkdtemp(join(tmpdir(), 'skyrun-invalid-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const first = await startGateway([route([target([port])], OLD)], { dataDir });
  const status = (of: number, host: string) =>
    new Promise<number>((resolve, reject) => {
      get({ host: '127.0.0.1', port: of, agent: false, headers: { host } }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      }).on('error', reject);
    });
  try {
    await vi.waitFor(async () => expect(await status(first.port, OLD)).toBe(200), { timeout: 20_000 });
    first.control.publishUnread({
      kind: 'snapshot',
      epoch: 'test',
      version: 2,
      routes: [
        { ...route([target([port])], OLD), policy: { invoker: 'friends' } },
        { ...route([target([port])], 'never.demo.localhost'), targets: 'some' },
        route([target([port])], 'good.demo.localhost'),
      ],
    });
    await vi.waitFor(async () => expect(await status(first.port, 'good.demo.localhost')).toBe(200), {
      timeout: 20_000,
    });
    expect([await status(first.port, OLD), await status(first.port, 'never.demo.localhost')]).toEqual([200, 404]);
    const admin = `http://127.0.0.1:${first.gateway.adminAddress().port}`;
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    expect(metrics).toContain('skyrun_gateway_invalid_routes{instead="former"} 1');
    expect(metrics).toContain('skyrun_gateway_invalid_routes{instead="none"} 1');
    await vi.waitFor(
      () =>
        expect(first.control.views.at(-1)).toMatchObject({
          invalidRouteCount: 2,
          invalidRoutes: [
            { host: OLD, field: 'policy.invoker', serves: true },
            { host: 'never.demo.localhost', field: 'targets', serves: false },
          ],
        }),
      { timeout: 20_000 },
    );
    // A line that is no frame at all changes nothing.
    first.control.publishUnread({
      kind: 'snapshot',
      epoch: 'test',
      version: 3,
      routes: [],
      more: JSON.parse('"some"'),
    });
    await vi.waitFor(() => expect(first.control.views.at(-1)?.registryLive).toBe(false), { timeout: 20_000 });
    expect([await status(first.port, OLD), await status(first.port, 'good.demo.localhost')]).toEqual([200, 200]);
  } finally {
    await first.close();
  }
  // The next start, which may be of a version that can read them, asks for everything.
  expect(await readFile(join(dataDir, 'gateway', 'test', 'routes.journal'), 'utf8')).toContain('"at":["incomplete",2]');
});
