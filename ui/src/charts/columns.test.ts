import type { MetricPoint } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { columnsOf, latestOf } from './columns.ts';

const point = (second: number): MetricPoint => ({
  at: new Date(second * 1000).toISOString(),
  windowMs: 1000,
  requestsPerSecond: second,
  concurrency: 0,
  queued: 0,
  statusClasses: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
  p50Ms: null,
  p95Ms: 2,
  p99Ms: 3,
  instances: { ready: 1, starting: 0 },
});

const rate = ({ requestsPerSecond }: MetricPoint) => requestsPerSecond;
const p50 = ({ p50Ms }: MetricPoint) => p50Ms;

test('columns hold the points in view, one column per series', () => {
  expect(columnsOf([point(1), point(2), point(3)], 2000, 1000, [rate, p50])).toEqual([
    [2, 3],
    [2, 3],
    [null, null],
  ]);
});

test('a pause in observation breaks the line instead of bridging it', () => {
  expect(columnsOf([point(1), point(6), point(12)], 0, 1000, [rate])).toEqual([
    [1, 6, 7, 12],
    [1, 6, null, 12],
  ]);
});

test('the newest figure is told only while it is of now', () => {
  expect(latestOf([point(1), point(2)], 8000, 1000, rate)).toBe(2);
  expect(latestOf([point(1), point(2)], 10_000, 1000, rate)).toBeNull();
  expect(latestOf([], 0, 1000, rate)).toBeNull();
});
