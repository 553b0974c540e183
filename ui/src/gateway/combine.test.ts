import type { GatewayView } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { combine, isSilent } from './combine.ts';

const AT = '2026-03-01T10:00:00.000Z';

function view(fields: Partial<GatewayView>): GatewayView {
  return {
    gateway: 'edge-1',
    startedAt: AT,
    at: AT,
    windowMs: 2000,
    draining: false,
    residentBytes: 1,
    cpuShare: 0,
    connections: 3,
    accepted: 0,
    refused: 0,
    statusClasses: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
    inFlight: 0,
    waiting: 0,
    routes: 1,
    instances: 1,
    registryLive: true,
    invalidRouteCount: 0,
    invalidRoutes: [],
    sharedLimits: 'alone',
    services: [],
    ejected: [],
    limits: [],
    clients: [],
    ...fields,
  };
}

const web = {
  project: 'demo',
  service: 'web',
  revision: 'web-00001',
  errors: 0,
  p95Ms: 20,
  inFlight: 1,
  waiting: 0,
  ready: 2,
  instances: 2,
};

test('rates of gateways add up, each over its own window; instances are counted once', () => {
  const combined = combine([
    view({ services: [{ ...web, requests: 20 }], clients: [{ address: '192.0.2.1', requests: 20, connections: 2 }] }),
    view({
      gateway: 'edge-2',
      windowMs: 1000,
      services: [{ ...web, requests: 5, p95Ms: 50 }],
      clients: [{ address: '192.0.2.1', requests: 5, connections: 1 }],
    }),
  ]);
  expect(combined.services).toEqual([
    { ...web, requests: 15, p95Ms: 50, inFlight: 2, ready: 2, instances: 2, errors: 0, waiting: 0 },
  ]);
  expect(combined.clients).toEqual([{ address: '192.0.2.1', requests: 15, connections: 3 }]);
  expect(combined.connections).toBe(6);
});

test('the busiest come first, and every ejection says which gateway ejected', () => {
  const ejected = {
    project: 'demo',
    service: 'web',
    revision: 'web-00001',
    instanceId: 'i',
    failures: 5,
    retryInMs: 9,
  };
  const combined = combine([
    view({
      services: [
        { ...web, requests: 1 },
        { ...web, revision: 'web-00002', requests: 9 },
      ],
      ejected: [ejected],
    }),
  ]);
  expect(combined.services.map(({ revision }) => revision)).toEqual(['web-00002', 'web-00001']);
  expect(combined.ejected).toEqual([{ gateway: 'edge-1', ...ejected }]);
});

test('a route that several gateways could not take is told once, with who says so', () => {
  const invalid = {
    host: 'web.demo.localhost',
    project: 'demo',
    service: 'web',
    field: 'targets.0.protocol',
    problem: 'Invalid option',
    serves: true,
  };
  const left = { ...invalid, serves: false };
  const combined = combine([
    view({ invalidRouteCount: 1, invalidRoutes: [invalid] }),
    view({ gateway: 'edge-2', invalidRouteCount: 1, invalidRoutes: [invalid] }),
    view({ gateway: 'edge-3', invalidRouteCount: 70, invalidRoutes: [left] }),
  ]);
  expect(combined.invalidRoutes).toEqual([
    { ...invalid, gateways: ['edge-1', 'edge-2'] },
    { ...left, gateways: ['edge-3'] },
  ]);
  expect(combined.invalidRouteCount).toBe(70);
});

test('one that shows nothing any more is silent', () => {
  expect(isSilent(view({}), Date.parse(AT) + 9000)).toBe(false);
  expect(isSilent(view({}), Date.parse(AT) + 11_000)).toBe(true);
});
