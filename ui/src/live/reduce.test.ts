import { formatMoney, type Instance, type MetricPoint } from '@skyrun/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendPoint, countInstances, patchCosts, upsertInstance } from './reduce.ts';

const STATES = ['starting', 'ready', 'draining', 'stopped', 'failed'] as const;

const instance = (id: string, state: Instance['state'], second = 0): Instance => ({
  id,
  project: 'demo',
  service: 'hello',
  serviceId: 'svc',
  revisionId: 'rev',
  revisionName: 'hello-00001',
  state,
  node: 'local',
  createdAt: `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`,
});

test('a new instance is put in by its age, newest first', () => {
  const list = [instance('c', 'ready', 30), instance('a', 'ready', 10)];
  expect(upsertInstance(list, instance('b', 'starting', 20)).map(({ id }) => id)).toEqual(['c', 'b', 'a']);
});

test('in whatever order and however often events arrive, the furthest state holds', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...STATES), { minLength: 1 }), (states) => {
      const end = states.reduce<Instance[]>((list, state) => upsertInstance(list, instance('a', state)), []);
      const furthest = Math.max(...states.map((state) => Math.min(STATES.indexOf(state), 3)));
      expect(end).toHaveLength(1);
      const order: readonly (string | undefined)[] = STATES;
      expect(Math.min(order.indexOf(end[0]?.state), 3)).toBe(furthest);
    }),
  );
});

test('where events tell versions, the latest holds, also back to ready', () => {
  const told = (['ready', 'paused', 'ready', 'unready'] as const).map((state, stateVersion) => ({
    ...instance('a', state),
    stateVersion,
  }));
  const [ready, paused, resumed, unready] = told;
  if (!ready || !paused || !resumed || !unready) throw new Error('too few');
  const after = (...events: Instance[]) => events.reduce<Instance[]>(upsertInstance, [])[0]?.state;
  expect(after(ready, unready, paused, resumed)).toBe('unready');
  expect(after(ready, paused, resumed)).toBe('ready');
});

test('only instances that are not over are counted', () => {
  const list = STATES.map((state) => instance(state, state));
  expect(countInstances(list)).toEqual({ ready: 1, starting: 1, draining: 1 });
});

const point = (second: number, requestsPerSecond = 1): MetricPoint => ({
  at: new Date(second * 1000).toISOString(),
  windowMs: 1000,
  requestsPerSecond,
  concurrency: 0,
  queued: 0,
  statusClasses: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
  p50Ms: null,
  p95Ms: null,
  p99Ms: null,
  instances: { ready: 0, starting: 0 },
});

test('points stay in order, each moment once, old ones leave', () => {
  const seconds = [1, 3, 2, 3, 12, 11];
  const points = seconds.reduce<MetricPoint[]>((known, second) => appendPoint(known, point(second), 10_000), []);
  expect(points.map(({ at }) => Date.parse(at) / 1000)).toEqual([3, 11, 12]);
});

test('the later word on a moment holds', () => {
  expect(appendPoint([point(1, 5)], point(1, 7), 10_000).map(({ requestsPerSecond }) => requestsPerSecond)).toEqual([
    7,
  ]);
});

test('live cost sums its services to the last digit', () => {
  const report = {
    project: 'demo',
    currency: 'USD',
    periodStart: '2026-01-01T00:00:00.000Z',
    usageUntil: null,
    computedAt: '2026-01-01T00:00:00.000Z',
    priceList: 'x',
    services: [{ service: 'a', amount: '0.10', exactAmount: '0.1', requests: '3' }],
    lines: [],
    credits: [],
    subtotal: '0.10',
    total: '0.10',
    exactTotal: '0.1',
  };
  const patched = patchCosts(report, {
    project: 'demo',
    currency: 'USD',
    exactTotal: '0.1',
    services: [
      { service: 'a', exactAmount: '0.100000000001' },
      { service: 'b', exactAmount: '0.200000000002' },
    ],
  });
  expect(patched.exactSubtotal).toBe(formatMoney(300_000_000_003n));
  expect(patched.services).toEqual([{ service: 'a', amount: '0.10', exactAmount: '0.100000000001', requests: '3' }]);
});
