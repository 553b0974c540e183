import { expect, test } from 'vitest';
import { FailureWindow } from './failure-window.ts';

test.each([
  [0, 1],
  [9_999, 1],
  [10_000, 0],
  [10_999, 0],
  [70_000, 0],
])('after %i ms a failure counts %i times', (later, failed) => {
  const window = new FailureWindow();
  window.observe(0, true);
  expect(window.counts(later).failed).toBe(failed);
});

test('each second counts for ten, whatever came between', () => {
  const window = new FailureWindow();
  for (let second = 0; second < 30; second += 1) window.observe(second * 1000, second % 2 === 0);
  expect(window.counts(29_000)).toEqual({ total: 10, failed: 5 });
  window.clear();
  expect(window.counts(29_000)).toEqual({ total: 0, failed: 0 });
});
