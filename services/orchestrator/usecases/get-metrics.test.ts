import { expect, test } from 'vitest';
import type { MetricRow } from '../store/metrics-store.ts';
import { emptyTally } from '../traffic/tally.ts';
import { metricPoints } from './get-metrics.ts';

const START = 1_700_000_000_000;

function row(at: number, requests: number, revisionId: string): MetricRow {
  const latencyBuckets = emptyTally().latencyBuckets.with(5, requests);
  const tally = { ...emptyTally(), requests, concurrencyMs: requests * 100, latencyBuckets };
  return { project: 'demo', service: 'web', revisionId, at, tally, instances: { ready: 1, starting: 0 } };
}

test('revisions of a service add up to one point per step, and silent steps are zero', () => {
  const rows = [row(START, 10, 'a'), row(START, 15, 'b'), row(START + 10_000, 5, 'a')];
  const points = metricPoints(rows, START, START + 15_000);
  expect(points.map(({ requestsPerSecond, concurrency, p95Ms }) => [requestsPerSecond, concurrency, p95Ms])).toEqual([
    [5, 0.5, 10],
    [0, 0, null],
    [1, 0.1, 10],
  ]);
  expect(points.map(({ instances }) => instances.ready)).toEqual([2, 0, 1]);
});

test('only whole steps within the span are shown', () => {
  expect(metricPoints([], START + 1, START + 12_000).map(({ at }) => at)).toEqual([
    new Date(START + 5000).toISOString(),
  ]);
});
