import { LATENCY_BOUNDS_MS, latencyQuantile } from '@skyrun/contracts';

/** Parts that the window is cut into: so much of it is forgotten at a time. */
const PARTS = 6;

/** Latency histograms of the last while, in a few parts that are forgotten one after the other. */
export class LatencyWindow {
  readonly #parts: { at: number; readonly buckets: Float64Array }[] = [];
  readonly #partMs: number;

  constructor(longestMs: number) {
    this.#partMs = Math.max(1000, longestMs / PARTS);
  }

  add(buckets: readonly number[], now: number): void {
    const at = Math.floor(now / this.#partMs);
    let part = this.#parts.at(-1);
    if (part?.at !== at) {
      part = { at, buckets: new Float64Array(LATENCY_BOUNDS_MS.length + 1) };
      this.#parts.push(part);
      if (this.#parts.length > PARTS) this.#parts.shift();
    }
    for (const [index, count] of buckets.entries()) part.buckets[index] = (part.buckets[index] ?? 0) + count;
  }

  /** Milliseconds; null when nothing was answered. */
  quantile(share: number, now: number): number | null {
    const oldest = Math.floor(now / this.#partMs) - PARTS;
    const sum = new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0);
    for (const { at, buckets } of this.#parts) {
      if (at <= oldest) continue;
      for (const [index, count] of buckets.entries()) sum[index] = (sum[index] ?? 0) + count;
    }
    return latencyQuantile(sum, share);
  }
}
