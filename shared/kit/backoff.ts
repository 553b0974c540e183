export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
  /** Growth per attempt; 2 by default. */
  readonly factor?: number;
  /** In [0, 1); Math.random by default. */
  readonly random?: () => number;
}

/**
 * Exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter"):
 * attempt 1, 2, 3… → a delay drawn evenly from [0, min(maxMs, baseMs × factor^(attempt−1))], at least 1 ms.
 */
export function backoff({ baseMs, maxMs, factor = 2, random = Math.random }: BackoffOptions) {
  return (attempt: number): number => {
    const ceiling = Math.min(maxMs, baseMs * factor ** Math.max(0, attempt - 1));
    return Math.max(1, Math.round(random() * ceiling));
  };
}
