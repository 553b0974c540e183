export interface ThrottlePolicy {
  /** Failures that cost nothing. */
  readonly freeFailures: number;
  /** The first lock; each further failure doubles it. */
  readonly firstLockMs: number;
  readonly maxLockMs: number;
  /** Without a failure for so long after the lock ended, all is forgotten. */
  readonly forgetAfterMs: number;
}

export interface ThrottleState {
  readonly failures: number;
  /** Unix milliseconds. */
  readonly lastAt: number;
  readonly lockedUntil: number;
}

/** One account from one address: what guesses a password. */
export const ACCOUNT_POLICY: ThrottlePolicy = {
  freeFailures: 5,
  firstLockMs: 1000,
  maxLockMs: 15 * 60_000,
  forgetAfterMs: 60 * 60_000,
};

/** One address over all accounts: what tries one password on many. Wider, as an office shares an address. */
export const ADDRESS_POLICY: ThrottlePolicy = { ...ACCOUNT_POLICY, freeFailures: 50 };

/** Milliseconds until the next attempt is allowed; 0 when it is. */
export function remainingLock(state: ThrottleState | null, now: number): number {
  return state === null ? 0 : Math.max(0, state.lockedUntil - now);
}

/** The state after one more failure. */
export function afterFailure(state: ThrottleState | null, now: number, policy: ThrottlePolicy): ThrottleState {
  const forgotten = state === null || Math.max(state.lastAt, state.lockedUntil) + policy.forgetAfterMs <= now;
  const failures = (forgotten ? 0 : state.failures) + 1;
  const excess = failures - policy.freeFailures;
  const lockMs = excess < 0 ? 0 : Math.min(policy.maxLockMs, policy.firstLockMs * 2 ** Math.min(excess, 40));
  return { failures, lastAt: now, lockedUntil: now + lockMs };
}
