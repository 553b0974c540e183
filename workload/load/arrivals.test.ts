import { expect, test } from 'vitest';
import { steady } from './arrivals.ts';

test.each([
  [10, 1000, 10],
  [3, 1000, 3],
  [0.5, 3000, 2],
  [1000, 250, 250],
])('%d requests a second for %d ms are %d evenly spaced requests', (requestsPerSecond, durationMs, count) => {
  const arrivals = steady({ requestsPerSecond, durationMs });
  expect(arrivals.at(0)).toBe(0);
  expect(arrivals.at(count - 1)).toBeCloseTo(((count - 1) * 1000) / requestsPerSecond);
  expect(arrivals.at(count)).toBeNull();
});
