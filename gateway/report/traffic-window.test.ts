import { LATENCY_BOUNDS_MS } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { bucketOf, TrafficWindow } from './traffic-window.ts';

test('concurrency is the time-weighted mean of what is in flight and waiting', () => {
  const window = new TrafficWindow(0);
  window.arrive(0);
  window.arrive(500);
  window.end(750, 200, 750);
  const first = window.take(1000, 'rev', 1);
  expect(first).toMatchObject({ concurrency: 1.25, current: 1, queued: 1, requests: 1 });
  expect(first?.statusClasses['2xx']).toBe(1);
  expect(window.take(2000, 'rev', 0)).toMatchObject({ concurrency: 1, current: 1, requests: 0 });
  window.end(2000, 503, 2000);
  expect(window.take(3000, 'rev', 0)).toMatchObject({ requests: 1, current: 0 });
  expect(window.take(4000, 'rev', 0)).toBeNull();
});

test.each([
  [0, 0],
  [1, 0],
  [1.01, 1],
  [100, LATENCY_BOUNDS_MS.indexOf(100)],
  [60_000, LATENCY_BOUNDS_MS.length - 1],
  [60_001, LATENCY_BOUNDS_MS.length],
])('%f ms is in bucket %i', (latency, bucket) => {
  expect(bucketOf(latency)).toBe(bucket);
});
