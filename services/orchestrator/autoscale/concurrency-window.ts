const BUCKET_MS = 1000;

/**
 * Concurrency over the last seconds, in buckets of one second that are written once per report and read without
 * a scan of reports. A second that nobody reported is a second without requests.
 */
export class ConcurrencyWindow {
  readonly #areas: Float64Array;
  #newest: number;
  /** Unix milliseconds of the first thing that was measured; before it nothing is known. */
  #since: number | null = null;
  /** Until when gateways have reported. */
  #until = 0;

  constructor(longestMs: number) {
    this.#areas = new Float64Array(Math.ceil(longestMs / BUCKET_MS) + 2);
    this.#newest = 0;
  }

  /** `concurrency` is the mean over `[from, to)`, of one gateway; several gateways add up. */
  add(from: number, to: number, concurrency: number): void {
    if (to <= from) return;
    this.#since ??= from;
    this.#until = Math.max(this.#until, to);
    for (let bucket = Math.floor(from / BUCKET_MS); bucket * BUCKET_MS < to; bucket += 1) {
      const start = Math.max(from, bucket * BUCKET_MS);
      const end = Math.min(to, (bucket + 1) * BUCKET_MS);
      this.#advance(bucket);
      if (bucket <= this.#newest - this.#areas.length) continue;
      const index = bucket % this.#areas.length;
      this.#areas[index] = (this.#areas[index] ?? 0) + (end - start) * concurrency;
    }
  }

  /** From here on silence means that there are no requests. */
  observeFrom(at: number): void {
    this.#since ??= at;
  }

  /**
   * Mean over the last `windowMs`, or over what has been measured of them; null when nothing has. Gateways
   * report a moment late: the window ends with their last report where that is recent.
   */
  average(now: number, windowMs: number): number | null {
    if (this.#since === null) return null;
    const end = now - this.#until < 2 * BUCKET_MS ? Math.min(now, this.#until) : now;
    const start = Math.max(end - windowMs, this.#since);
    if (end <= start) return null;
    this.#advance(Math.floor(now / BUCKET_MS));
    let area = 0;
    const first = Math.max(Math.floor(start / BUCKET_MS), this.#newest - this.#areas.length + 1);
    for (let bucket = first; bucket * BUCKET_MS < end; bucket += 1) {
      const from = Math.max(start, bucket * BUCKET_MS);
      const to = Math.min(end, (bucket + 1) * BUCKET_MS);
      const filled = Math.min((bucket + 1) * BUCKET_MS, Math.max(end, this.#until)) - bucket * BUCKET_MS;
      area += (this.#areas[bucket % this.#areas.length] ?? 0) * ((to - from) / Math.max(1, filled));
    }
    // Under a second of measurement a single request would look like a crowd.
    return area / Math.max(BUCKET_MS, end - start);
  }

  /** Empties the buckets between the newest so far and this one. */
  #advance(bucket: number): void {
    if (bucket <= this.#newest) return;
    const first = Math.max(this.#newest + 1, bucket - this.#areas.length + 1);
    for (let stale = first; stale <= bucket; stale += 1) this.#areas[stale % this.#areas.length] = 0;
    this.#newest = bucket;
  }
}
