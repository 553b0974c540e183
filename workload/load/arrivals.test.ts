import { expect, test } from 'vitest';
import { type Arrivals, poisson, steady } from './arrivals.ts';

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

test('a Poisson process keeps the rate, has gaps of every size, and repeats by its seed', () => {
  const shape = { requestsPerSecond: 2000, durationMs: 10_000 };
  const times = timesOf(poisson({ ...shape, seed: 7 }));
  expect(times.length).toBeGreaterThan(19_400);
  expect(times.length).toBeLessThan(20_600);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
  // Of exponential gaps e⁻¹ are longer than their mean, and e⁻³ longer than three times that.
  expect(gaps.filter((gap) => gap > 0.5).length / gaps.length).toBeCloseTo(Math.exp(-1), 1);
  expect(gaps.filter((gap) => gap > 1.5).length / gaps.length).toBeCloseTo(Math.exp(-3), 1);
  expect(timesOf(poisson({ ...shape, seed: 7 }))).toEqual(times);
  expect(timesOf(poisson({ ...shape, seed: 8 }))).not.toEqual(times);
});

function timesOf(arrivals: Arrivals): number[] {
  const times: number[] = [];
  for (let time = arrivals.at(0); time !== null; time = arrivals.at(times.length)) times.push(time);
  return times;
}
