/** What came of one try. */
export type Outcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** From `Retry-After`; null when there was none. */
      readonly retryAfterMs: number | null;
    }
  /** No answer: refused connection, time-out, cut connection, … */
  | { readonly kind: 'failed'; readonly error: string }
  /** Not tried: the destination is no place that may be called. */
  | { readonly kind: 'forbidden'; readonly error: string };

export type Verdict = 'delivered' | 'again' | 'refused';

const WORTH_RETRYING = new Set([404, 409, 429]);

/**
 * Knative eventing's data-plane contract: 2xx is accepted; 404, 409, 429, 5xx and no answer are tried again; never 400 or
 * another 4xx. A redirect is not followed and counts as refused: it would be the same the next time.
 */
export function verdictOf(outcome: Outcome): Verdict {
  if (outcome.kind === 'forbidden') return 'refused';
  if (outcome.kind === 'failed') return 'again';
  const { status } = outcome;
  if (status >= 200 && status < 300) return 'delivered';
  return WORTH_RETRYING.has(status) || status >= 500 ? 'again' : 'refused';
}

/** Whether the destination itself looks ill, rather than this one event. */
export function isDestinationIll(outcome: Outcome): boolean {
  return (
    outcome.kind === 'failed' || (outcome.kind === 'answered' && (outcome.status === 429 || outcome.status >= 500))
  );
}

/** Milliseconds; no destination may put an event off for longer. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** `Retry-After` as seconds or a date; null when it is neither. */
export function retryAfterOf(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  const text = header.trim();
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS) : null;
}
