import { expect, test } from 'vitest';
import { Breaker, FAILURE_THRESHOLD, OPEN_BASE_MS, OPEN_MAX_MS } from './breaker.ts';

test('opens after failures in a row, lets one request try, closes on its success', () => {
  const breaker = new Breaker();
  for (let index = 1; index < FAILURE_THRESHOLD; index += 1) breaker.onFailure(0);
  expect(breaker.admits(0)).toBe(true);
  breaker.onFailure(0);
  expect(breaker.admits(OPEN_BASE_MS - 1)).toBe(false);
  expect(breaker.admits(OPEN_BASE_MS)).toBe(true);
  breaker.onSent();
  expect(breaker.admits(OPEN_BASE_MS)).toBe(false);
  breaker.onSuccess();
  expect(breaker.closed).toBe(true);
  expect(breaker.admits(OPEN_BASE_MS)).toBe(true);
});

test('a success in between starts the count again', () => {
  const breaker = new Breaker();
  for (let index = 0; index < 20; index += 1) {
    breaker.onFailure(0);
    if (index % 3 === 0) breaker.onSuccess();
  }
  expect(breaker.closed).toBe(true);
});

test('a refused connection opens at once; each failed try doubles the time, up to a bound', () => {
  const breaker = new Breaker();
  let now = 0;
  const times: number[] = [];
  for (let index = 0; index < 8; index += 1) {
    breaker.onSent();
    breaker.onFailure(now, FAILURE_THRESHOLD);
    times.push(breaker.openUntil - now);
    now = breaker.openUntil;
  }
  expect(times).toEqual([250, 500, 1000, 2000, 4000, 8000, OPEN_MAX_MS, OPEN_MAX_MS]);
});

test('what was in flight when it opened fails too, and keeps the instance away no longer', () => {
  const breaker = new Breaker();
  breaker.onFailure(0, FAILURE_THRESHOLD);
  for (let index = 0; index < 50; index += 1) {
    breaker.onFailure(10);
    breaker.onFailure(20, FAILURE_THRESHOLD);
  }
  expect(breaker.openUntil).toBe(OPEN_BASE_MS);
  expect(breaker.refused).toBe(true);
  expect(breaker.admits(OPEN_BASE_MS)).toBe(true);
  breaker.onSent();
  breaker.onFailure(OPEN_BASE_MS);
  expect(breaker.openUntil).toBe(3 * OPEN_BASE_MS);
});

test('a try whose client left decides nothing: the next may try', () => {
  const breaker = new Breaker();
  breaker.onFailure(0, FAILURE_THRESHOLD);
  breaker.onSent();
  breaker.onAbandoned();
  expect(breaker.admits(OPEN_BASE_MS)).toBe(true);
});

const LIMITS = { ratio: 0.5, minRequests: 10 };

test('opens when too large a share of the last ten seconds failed; one good answer to its try closes it', () => {
  const breaker = new Breaker();
  const changes: boolean[] = [];
  breaker.onChange = (open) => changes.push(open);
  for (let index = 0; index < 9; index += 1) breaker.observe(true, LIMITS, 1000);
  expect(breaker.closed).toBe(true);
  breaker.observe(true, LIMITS, 1000);
  expect(breaker.admits(1000)).toBe(false);
  const tryAt = breaker.openUntil;
  expect(breaker.admits(tryAt)).toBe(true);
  breaker.onSent();
  breaker.observe(true, LIMITS, tryAt);
  expect(breaker.openUntil).toBe(tryAt + 2 * OPEN_BASE_MS);
  breaker.onSent();
  breaker.observe(false, LIMITS, breaker.openUntil);
  expect(breaker.closed).toBe(true);
  expect(changes).toEqual([true, false]);
});

test.each([
  ['a smaller share', 10, 4],
  ['failures that are long over', 60_000, 6],
])('%s leaves it closed', (_name, apartMs, failures) => {
  const breaker = new Breaker();
  for (let index = 0; index < 12; index += 1) breaker.observe(index < failures, LIMITS, index * apartMs);
  expect(breaker.closed).toBe(true);
});
