import { FailureWindow } from './failure-window.ts';

/**
 * Keeps requests away from an instance that does not answer.
 *
 *            failure × threshold,
 *            or too large a share               after `openMs`: one request tries
 *   closed ─────────────────────► open ─────────────────────────► probing
 *     ▲                            ▲  longer each time                │ │
 *     │                            └───────────── failure ────────────┘ │
 *     └──────────────────────────────── success ────────────────────────┘
 */
export class Breaker {
  /** Failures since the last success. */
  failures = 0;
  /** Unix-free monotonic ms until which no request is sent; 0 while closed. */
  openUntil = 0;
  /** It opened because nobody listened: a connection that comes about is proof enough that someone does. */
  refused = false;
  /** Told when it opens and when it closes. */
  onChange: ((open: boolean) => void) | null = null;
  #probing = false;
  #openings = 0;
  #window: FailureWindow | null = null;

  get closed(): boolean {
    return this.openUntil === 0;
  }

  admits(now: number): boolean {
    if (this.openUntil === 0) return true;
    return now >= this.openUntil && !this.#probing;
  }

  /** A request was sent to the instance. */
  onSent(): void {
    if (this.openUntil !== 0) this.#probing = true;
  }

  onSuccess(): void {
    if (this.failures === 0 && this.openUntil === 0) return;
    const open = this.openUntil !== 0;
    this.failures = 0;
    this.openUntil = 0;
    this.refused = false;
    this.#openings = 0;
    this.#probing = false;
    if (open) this.onChange?.(false);
  }

  /**
   * A response began, or there was none. Opens when too large a share of the last ten seconds failed, or when this was the
   * one that tried.
   */
  observe(failed: boolean, limits: { ratio: number; minRequests: number }, now: number): void {
    this.#window ??= new FailureWindow();
    this.#window.observe(now, failed);
    if (!failed) {
      this.onSuccess();
      return;
    }
    const { total, failed: lost } = this.#window.counts(now);
    if (this.#probing || (this.openUntil === 0 && total >= limits.minRequests && lost / total >= limits.ratio)) {
      this.failures = Math.max(1, this.failures);
      this.#window.clear();
      this.#open(now);
    }
  }

  /** `weight` is the threshold for failures that prove the instance gone, such as a refused connection. */
  onFailure(now: number, weight = 1): void {
    this.failures += weight;
    // What was in flight when it opened fails with it; each of them counted would keep the instance away for ever longer.
    if (this.openUntil !== 0 && !this.#probing) return;
    if (this.failures < FAILURE_THRESHOLD && !this.#probing) return;
    this.refused = weight >= FAILURE_THRESHOLD;
    this.#open(now);
  }

  #open(now: number): void {
    const closed = this.openUntil === 0;
    this.#probing = false;
    this.#openings += 1;
    this.openUntil = now + Math.min(OPEN_MAX_MS, OPEN_BASE_MS * 2 ** (this.#openings - 1));
    if (closed) this.onChange?.(true);
  }

  /** The probe ended without a verdict, e.g. because its client left. */
  onAbandoned(): void {
    this.#probing = false;
  }
}

export const FAILURE_THRESHOLD = 5;
export const OPEN_BASE_MS = 250;
export const OPEN_MAX_MS = 10_000;
