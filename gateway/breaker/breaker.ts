/**
 * Keeps requests away from an instance that does not answer.
 *
 *            failure × threshold                after `openMs`: one request tries
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
  #probing = false;
  #openings = 0;

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
    this.failures = 0;
    this.openUntil = 0;
    this.refused = false;
    this.#openings = 0;
    this.#probing = false;
  }

  /** `weight` is the threshold for failures that prove the instance gone, such as a refused connection. */
  onFailure(now: number, weight = 1): void {
    this.failures += weight;
    this.refused = weight >= FAILURE_THRESHOLD;
    if (this.failures < FAILURE_THRESHOLD && !this.#probing) return;
    this.#probing = false;
    this.#openings += 1;
    this.openUntil = now + Math.min(OPEN_MAX_MS, OPEN_BASE_MS * 2 ** (this.#openings - 1));
  }

  /** The probe ended without a verdict, e.g. because its client left. */
  onAbandoned(): void {
    this.#probing = false;
  }
}

export const FAILURE_THRESHOLD = 5;
export const OPEN_BASE_MS = 250;
export const OPEN_MAX_MS = 10_000;
