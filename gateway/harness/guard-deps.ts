import { CallBook } from '../calls/call-book.ts';
import { Callers } from '../guard/callers.ts';
import type { GuardDeps } from '../guard/guard.ts';
import { Buckets } from '../limit/buckets.ts';

/** What a guard needs where it stands still at the beginning of time and knows nobody. */
export function guardDeps(): GuardDeps {
  return {
    buckets: new Buckets({ shares: false }),
    callers: new Callers(),
    calls: new CallBook(),
    monotonic: () => 0,
    now: () => 0,
    onLimited: () => undefined,
  };
}
