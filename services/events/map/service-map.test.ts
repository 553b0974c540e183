import { LATENCY_BOUNDS_MS, type ObservedCalls } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { ObservedWindow, WINDOW_MS } from '../consumers/window.ts';
import { makeEvent } from '../events.fixture.ts';
import { drawServiceMap, type MapInput } from './service-map.ts';

const NOW = 1_700_000_000_000;
const empty: MapInput = { traffic: [], calls: [], flows: [], pushes: [], registrations: [], groups: [], now: NOW };
const buckets = (quick: number, slow: number) => [quick, ...LATENCY_BOUNDS_MS.slice(1).map(() => 0), slow];
const seconds = WINDOW_MS / 1_000;

function observed(calls: Partial<ObservedCalls>): ReturnType<typeof makeEvent> {
  const one = { project: 'shop', from: 'checkout', kind: 'service', to: 'stock', requests: 0, errors: 0 } as const;
  const data = { gateway: 'gateway-1', calls: [{ ...one, latencyBuckets: buckets(0, 0), ...calls }] };
  return makeEvent({ type: 'skyrun.calls.observed.v1', subject: 'gateways/gateway-1', data });
}

test('what several gateways saw of two services is one edge with rate, errors and latency', () => {
  const seen = new ObservedWindow();
  seen.add(observed({ requests: seconds, errors: 0, latencyBuckets: buckets(seconds, 0) }), NOW);
  seen.add(observed({ requests: seconds, errors: seconds, latencyBuckets: buckets(seconds, 0) }), NOW);
  seen.add(observed({ project: 'bank', requests: 1 }), NOW);
  seen.add(observed({ requests: 1_000 }), NOW - WINDOW_MS - 1);
  const { nodes, edges } = drawServiceMap({ ...empty, calls: seen.calls('shop', NOW) });
  expect(edges).toEqual([
    {
      from: 'team:checkout',
      to: 'service:stock',
      kind: 'http',
      perSecond: 2,
      errorRatio: 0.5,
      latencyMs: LATENCY_BOUNDS_MS[0],
      types: [],
    },
  ]);
  expect(nodes.map(({ id }) => id)).toEqual(['team:checkout', 'service:stock']);
});

test('a team’s own service is called by name, too', () => {
  const calls = [{ from: 'checkout', kind: 'team', to: 'ledger', requests: 3, errors: 0, p95Ms: 4 }] as const;
  const { edges } = drawServiceMap({ ...empty, calls });
  expect(edges).toMatchObject([{ from: 'team:checkout', to: 'team:ledger', latencyMs: 4 }]);
});

test.each([
  { requests: 10, errors: 4, expected: { perSecond: 10 / seconds, errorRatio: 0.4 } },
  { requests: 40, errors: 5, expected: { perSecond: 40 / seconds, errorRatio: 0.125 } },
])('what is left of $requests requests without those of team services comes from outside', (outside) => {
  const traffic = [
    { service: 'stock', requests: outside.requests + 30, errors: outside.errors + 3, p95Ms: 9, ready: 1 },
  ];
  const calls = [{ from: 'checkout', kind: 'service', to: 'stock', requests: 30, errors: 3, p95Ms: 4 }] as const;
  const { edges } = drawServiceMap({ ...empty, traffic, calls });
  const [edge] = edges.filter(({ from }) => from === 'edge:internet');
  expect(edge?.perSecond).toBeCloseTo(outside.expected.perSecond, 2);
  expect(edge?.errorRatio).toBeCloseTo(outside.expected.errorRatio);
});

test('where nobody from outside calls, nobody from outside is drawn', () => {
  const traffic = [{ service: 'stock', requests: 30, errors: 3, p95Ms: 9, ready: 1 }];
  const calls = [{ from: 'checkout', kind: 'service', to: 'stock', requests: 31, errors: 3, p95Ms: 4 }] as const;
  const map = drawServiceMap({ ...empty, traffic, calls });
  expect(map.edges.map(({ from }) => from)).toEqual(['team:checkout']);
  expect(map.nodes).toContainEqual(expect.objectContaining({ id: 'service:stock', health: 'healthy', copies: 1 }));
});
