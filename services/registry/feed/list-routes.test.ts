import { type GatewayRoute, OPERATIONS, type Route, servicePolicy } from '@skyrun/contracts';
import { describe, expect, it, test } from 'vitest';
import { createRouteListing, policyMarks } from './list-routes.ts';
import { platformPrefixes } from './platform-prefixes.ts';

const route = (host: string, fields: Partial<Route> = {}): Route => ({
  host,
  project: 'demo',
  service: 'hello',
  serviceId: 'svc_0190a000-0000-7000-8000-000000000001',
  targets: [],
  ...fields,
});
const tableOf = (...routes: Route[]) => new Map(routes.map((each) => [each.host, each]));
const PLATFORM = createRouteListing('localhost').page(new Map(), { limit: 500 }).items;

describe('the listing of routes', () => {
  const table = tableOf(
    route('www.shop.example'),
    route('b.demo.localhost', { service: 'b' }),
    route('a.demo.localhost', { service: 'a' }),
    route('new---a.demo.localhost', { service: 'a' }),
  );

  it('has hosts in order and then the platform, each once, however short the pages are', () => {
    const listing = createRouteListing('localhost');
    const seen: GatewayRoute[] = [];
    let cursor: string | null = null;
    do {
      const page = listing.page(table, { limit: 3, ...(cursor === null ? {} : { cursor }) });
      expect(page.items.length).toBeLessThanOrEqual(3);
      expect(page.total).toBe(PLATFORM.length + 4);
      seen.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen.slice(4)).toEqual(PLATFORM);
    expect(seen.slice(0, 4).map(({ host, kind, pathPrefix }) => [host, kind, pathPrefix])).toEqual([
      ['a.demo.localhost', 'service', '/'],
      ['b.demo.localhost', 'service', '/'],
      ['new---a.demo.localhost', 'tag', '/'],
      ['www.shop.example', 'domain', '/'],
    ]);
  });

  it('finds hosts, services and paths', () => {
    const listing = createRouteListing('localhost');
    const found = (text: string) => listing.page(table, { limit: 500, text }).items.map(({ host }) => host);
    expect(found(' SHOP ')).toEqual(['www.shop.example']);
    expect(found('demo/a')).toEqual(['a.demo.localhost', 'new---a.demo.localhost']);
    expect(found('/api/v1/gateway-routes')).toEqual(['localhost']);
    expect(listing.page(table, { limit: 500, text: '/socket.io' }).items).toMatchObject([
      { kind: 'platform', service: 'events', project: null },
    ]);
    expect(found('no such')).toEqual([]);
  });

  it('goes on behind a host that is gone meanwhile', () => {
    const listing = createRouteListing('localhost');
    const query = { limit: 1, text: 'demo' };
    const first = listing.page(table, query);
    expect(first.items.map(({ host }) => host)).toEqual(['a.demo.localhost']);
    const left = new Map([...table].filter(([host]) => host !== 'a.demo.localhost'));
    const next = listing.page(left, { ...query, cursor: first.nextCursor ?? '' });
    expect(next.items.map(({ host }) => host)).toEqual(['b.demo.localhost']);
  });

  it('refuses a cursor of another list', () => {
    const query = { limit: 1, cursor: Buffer.from('domains:a').toString('base64url') };
    expect(() => createRouteListing('localhost').page(table, query)).toThrow(
      expect.objectContaining({ code: 'request.invalid' }),
    );
  });

  it('tells shares, ready instances, policy and what blocks', () => {
    const instance = (number: number, state: 'ready' | 'draining' | 'paused') => ({
      id: `ins_01890000-0000-7000-8000-${String(number).padStart(12, '0')}`,
      address: '127.0.0.1',
      port: 8080,
      state,
    });
    const told = route('split.demo.localhost', {
      sticky: true,
      blocked: 'spending_cap',
      policy: servicePolicy.parse({ invoker: 'members', deny: ['10.0.0.0/8'], showCost: true }),
      targets: [
        {
          revisionId: 'rev_01890000-0000-7000-8000-000000000001',
          revisionName: 'hello-00001',
          percent: 90,
          protocol: 'http1',
          containerConcurrency: 0,
          timeoutMs: 1000,
          maxScale: 10,
          billingMode: 'request',
          cpuMilli: 1000,
          memoryMib: 512,
          instances: [instance(1, 'ready'), instance(2, 'ready'), instance(3, 'draining'), instance(4, 'paused')],
        },
      ],
    });
    const { items } = createRouteListing('localhost').page(tableOf(told), { limit: 500, text: 'split' });
    expect(items).toEqual([
      {
        host: 'split.demo.localhost',
        pathPrefix: '/',
        kind: 'service',
        project: 'demo',
        service: 'hello',
        revisions: [{ name: 'hello-00001', percent: 90, protocol: 'http1', ready: 2 }],
        sticky: true,
        blocked: 'spending_cap',
        policy: ['addresses', 'members', 'cost'],
      },
    ]);
    expect(OPERATIONS.listGatewayRoutes.response.shape.items.parse(items)).toEqual(items);
  });
});

test('a policy that asks nothing has no marks', () => {
  expect(policyMarks(servicePolicy.parse({}))).toEqual([]);
});

test('platform paths are told as short as one owner allows, and none that is not to be reached', () => {
  const operation = (path: string, service: 'registry' | 'identity', permission: 'admin' | 'internal' = 'admin') => ({
    path,
    service,
    permission,
  });
  const own = platformPrefixes([
    operation('/api/v1/auth/login', 'identity'),
    operation('/api/v1/auth/keys', 'identity'),
    operation('/api/v1/projects', 'identity'),
    operation('/api/v1/projects/{project}', 'identity'),
    operation('/api/v1/projects/{name}/domains', 'registry'),
    operation('/api/v1/projects/{project}/domains/{domain}', 'registry'),
    operation('/internal/v1/routes', 'registry', 'internal'),
  ]).filter(({ path }) => path.startsWith('/api/') || path.startsWith('/internal'));
  expect(own).toEqual([
    { path: '/api/v1/auth', service: 'identity' },
    { path: '/api/v1/projects', service: 'identity' },
    { path: '/api/v1/projects/{}', service: 'identity' },
    { path: '/api/v1/projects/{}/domains', service: 'registry' },
  ]);
});
