import { describe, expect, it } from 'vitest';
import { ACCOUNT_POLICY, afterFailure, remainingLock, type ThrottlePolicy, type ThrottleState } from './decide.ts';

const policy: ThrottlePolicy = { freeFailures: 3, firstLockMs: 1_000, maxLockMs: 8_000, forgetAfterMs: 60_000 };
const NOW = 1_000_000;

describe('afterFailure', () => {
  it.each([
    [null, 1, 0],
    [1, 2, 0],
    [2, 3, 1_000],
    [3, 4, 2_000],
    [4, 5, 4_000],
    [5, 6, 8_000],
    [6, 7, 8_000],
    [100_000, 100_001, 8_000],
  ])('%s failures become %i, locked for %i ms', (before, failures, lockMs) => {
    const state: ThrottleState | null =
      before === null ? null : { failures: before, lastAt: NOW - 5_000, lockedUntil: NOW - 1 };
    const after = afterFailure(state, NOW, policy);
    expect(after).toEqual({ failures, lastAt: NOW, lockedUntil: NOW + lockMs });
    expect(remainingLock(after, NOW)).toBe(lockMs);
  });

  it.each([
    ['just before the time to forget', 59_999, 8],
    ['at the time to forget', 60_000, 1],
  ])('%s counts to %i', (_, sinceMs, failures) => {
    const state = { failures: 7, lastAt: NOW - 90_000, lockedUntil: NOW - sinceMs };
    expect(afterFailure(state, NOW, policy).failures).toBe(failures);
  });
});

describe('remainingLock', () => {
  it.each([
    [NOW + 1, 1],
    [NOW, 0],
    [NOW - 1, 0],
  ])('until %i is %i ms at NOW', (lockedUntil, expected) => {
    expect(remainingLock({ failures: 9, lastAt: 0, lockedUntil }, NOW)).toBe(expected);
  });

  it('is none for whom nobody has failed yet', () => {
    expect(remainingLock(null, NOW)).toBe(0);
  });
});

describe('the account policy', () => {
  it('leaves a patient guesser fewer than 150 tries a day', () => {
    let state: ThrottleState | null = null;
    let now = NOW;
    let tries = 0;
    while (now < NOW + 86_400_000) {
      state = afterFailure(state, now, ACCOUNT_POLICY);
      tries += 1;
      now += Math.max(1, remainingLock(state, now));
    }
    expect(tries).toBeLessThan(150);
  });
});
