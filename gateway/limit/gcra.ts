/** One limit: a request is worth `emissionMs` of a bucket that holds `burst` of them. */
export interface Rate {
  /** Milliseconds that one request costs: window ÷ requests. */
  readonly emissionMs: number;
  /** Requests that may come at once, at least 1. */
  readonly burst: number;
}

export interface RateVerdict {
  readonly allowed: boolean;
  /** The bucket's theoretical arrival time after this request, in ms of the same clock as `now`. */
  readonly tat: number;
  /** Requests that would pass now. */
  readonly remaining: number;
  /** Milliseconds until the bucket is as good as new. */
  readonly resetMs: number;
  /** Milliseconds until a refused request would pass; 0 when it was allowed. */
  readonly retryMs: number;
}

/**
 * The generic cell rate algorithm (ITU-T I.371, virtual scheduling): a request is allowed when it does not come earlier
 * than `burst` − 1 emission intervals before its theoretical arrival. Equal to a token bucket, with one number as state.
 */
export function gcra(tat: number, now: number, { emissionMs, burst }: Rate): RateVerdict {
  const due = Math.max(tat, now);
  const toleranceMs = emissionMs * (burst - 1);
  const earliest = due - toleranceMs;
  if (now < earliest) {
    return { allowed: false, tat: due, remaining: 0, resetMs: due - now, retryMs: earliest - now };
  }
  const next = due + emissionMs;
  // A hair above keeps whole numbers whole where emissionMs is none.
  const remaining = Math.floor((now + toleranceMs + emissionMs - next) / emissionMs + 1e-9);
  return { allowed: true, tat: next, remaining, resetMs: next - now, retryMs: 0 };
}
