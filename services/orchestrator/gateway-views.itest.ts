import { type GatewayView, OPERATIONS } from '@skyrun/contracts';
import { isoTime, systemClock } from '@skyrun/kit';
import { testDatabase } from '@skyrun/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMemoryRuntime } from './runtime/memory/memory-runtime.ts';
import { type Harness, startHarness } from './testing/harness.ts';

let harness: Harness;
let other: Harness;
let drop: () => Promise<void>;

beforeEach(async () => {
  const database = await testDatabase('orchestrator');
  drop = () => database.drop();
  const runtime = createMemoryRuntime({ clock: systemClock, programs: new Map() });
  const options = { databaseUrl: database.url, runtime, prober: async () => false };
  harness = await startHarness(options);
  other = await startHarness(options);
});
afterEach(async () => {
  await Promise.all([harness.stop(), other.stop()]);
  await drop();
});

function view(gateway: string, fields: Partial<GatewayView> = {}): GatewayView {
  const at = isoTime(systemClock.now());
  return {
    gateway,
    startedAt: at,
    at,
    windowMs: 2000,
    draining: false,
    residentBytes: 80_000_000,
    cpuShare: 0.1,
    connections: 1,
    accepted: 1,
    refused: 0,
    statusClasses: { '1xx': 0, '2xx': 1, '3xx': 0, '4xx': 0, '5xx': 0 },
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

const show = (at: Harness, shown: GatewayView, gateway = shown.gateway) =>
  at.client.call(OPERATIONS.showGateway, { params: { gateway }, body: shown });

test('the last view of each gateway is told by any orchestrator', async () => {
  await show(harness, view('edge-1', { connections: 4 }));
  await show(other, view('edge-2'));
  await show(other, view('edge-1', { connections: 7 }));
  const { items } = await harness.client.call(OPERATIONS.listGateways, {});
  expect(items).toMatchObject([
    { gateway: 'edge-1', connections: 7 },
    { gateway: 'edge-2', connections: 1 },
  ]);
});

test('a view under another name changes nothing', async () => {
  await expect(show(harness, view('edge-1'), 'edge-9')).rejects.toMatchObject({ code: 'request.invalid' });
  expect(await harness.client.call(OPERATIONS.listGateways, {})).toEqual({ items: [] });
});
