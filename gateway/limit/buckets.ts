import { gcra, type Rate, type RateVerdict } from './gcra.ts';

interface Bucket {
  tat: number;
  rate: Rate;
  /** Requests let through that the other gateways have not heard of. */
  unshared: number;
  /** Since when, in ms of the caller's clock. */
  unsharedSince: number;
  /** Among those that the others are told of. */
  touched: boolean;
  /** Among those that they are told of next. */
  due: boolean;
}

/** What other gateways let through, per bucket, as far as they have said. */
export interface SharedBuckets {
  /**
   * Adds what was let through to each bucket: its theoretical arrival time, or what was `now - overMs` if that is later, moves on
   * by `costMs`. Returns how far in the future (ms) each one's is then, over all gateways, and 0 where it is past. Rejects when
   * they cannot be reached.
   */
  add(entries: readonly SharedEntry[]): Promise<readonly number[]>;
}

export interface SharedEntry {
  readonly key: string;
  /** What was let through, in ms of the bucket's theoretical arrival time. */
  readonly costMs: number;
  /** Over how long, until now: what time has earned since counts for it. */
  readonly overMs: number;
}

/**
 * What was let through while the others were away for longer than this is not paid for when they are back: no entry tells of a
 * longer time.
 */
export const OUTAGE_MS = 2000;
/** What a bucket may owe the others before it is due, in ms of its theoretical arrival time. */
const OWED_MS = 100;
/** They are told of everything this often. */
const ALL_MS = 1000;
/** Buckets that an idle client leaves behind are thrown away; beyond this many the fullest stay. */
const MAX_BUCKETS = 200_000;
const SAMPLE = 2000;

/**
 * The buckets of one gateway. A request is decided at once, from memory. The others are told of a bucket as soon as may be when
 * it is new, or when what they have not heard of is worth 100 ms of its rate, and of all once a second: most clients are far
 * from their limit, and each exchange takes time from requests. So several gateways together let through at most `gateways` ×
 * rate × (100 ms and the interval of `share`) more than the limit; without the others each limits on its own.
 */
export class Buckets {
  #buckets = new Map<string, Bucket>();
  #touched = new Set<string>();
  #due = new Set<string>();
  #allAt = Number.NEGATIVE_INFINITY;
  #sharing = false;
  /** Whether the last exchange with the other gateways came about. */
  shared = true;
  #shares: boolean;

  constructor(options: { shares: boolean }) {
    this.#shares = options.shares;
  }

  get size(): number {
    return this.#buckets.size;
  }

  take(key: string, rate: Rate, now: number): RateVerdict {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= MAX_BUCKETS) this.sweep(now, true);
      bucket = { tat: now, rate, unshared: 0, unsharedSince: now, touched: false, due: false };
      this.#buckets.set(key, bucket);
      // Elsewhere it may be full.
      if (this.#shares) this.#hasten(key, bucket);
    }
    bucket.rate = rate;
    const verdict = gcra(bucket.tat, now, rate);
    if (verdict.allowed) {
      bucket.tat = verdict.tat;
      if (this.#shares) {
        if (bucket.unshared === 0) bucket.unsharedSince = now;
        bucket.unshared += 1;
        if (!bucket.touched) {
          bucket.touched = true;
          this.#touched.add(key);
        }
        if (!bucket.due && bucket.unshared * rate.emissionMs >= OWED_MS) this.#hasten(key, bucket);
      }
    }
    return verdict;
  }

  #hasten(key: string, bucket: Bucket): void {
    bucket.due = true;
    this.#due.add(key);
  }

  /** Tells the others what is due and hears from them. A failure leaves it to be told the next time. */
  async share(others: SharedBuckets, now: () => number): Promise<void> {
    if (this.#sharing) return;
    const asked = now();
    const all = asked - this.#allAt >= ALL_MS;
    if (all) this.#allAt = asked;
    const keys = all ? this.#touched.union(this.#due) : this.#due;
    if (keys.size === 0) return;
    this.#sharing = true;
    const entries: SharedEntry[] = [];
    const told: { key: string; bucket: Bucket; requests: number; since: number }[] = [];
    for (const key of keys) {
      this.#touched.delete(key);
      const bucket = this.#buckets.get(key);
      if (bucket === undefined) continue;
      bucket.touched = false;
      bucket.due = false;
      const { unshared: requests, unsharedSince: since } = bucket;
      const costMs = requests * bucket.rate.emissionMs;
      const overMs = Math.max(0, asked - since);
      if (overMs <= OUTAGE_MS) entries.push({ key, costMs, overMs });
      else entries.push({ key, costMs: Math.min(costMs, Math.max(0, bucket.tat - asked)), overMs: 0 });
      told.push({ key, bucket, requests, since });
      // What comes from now on is told next.
      bucket.unsharedSince = asked;
    }
    this.#due.clear();
    try {
      const ahead = await others.add(entries);
      this.shared = true;
      const at = now();
      told.forEach(({ bucket, requests }, index) => {
        bucket.unshared -= requests;
        // What came while the others were asked is in ours alone.
        bucket.tat = Math.max(at, at + (ahead[index] ?? 0) + bucket.unshared * bucket.rate.emissionMs);
      });
    } catch {
      // Nothing is lost but the exactness between gateways: they limit on their own until the others are back.
      this.shared = false;
      for (const { key, bucket, since } of told) {
        bucket.unsharedSince = since;
        this.#hasten(key, bucket);
      }
    } finally {
      this.#sharing = false;
    }
  }

  /** Forgets buckets that are as good as new; `hard`: also about a tenth of all, those that are furthest from their limit. */
  sweep(now: number, hard = false): void {
    let surplus = hard ? MAX_BUCKETS / 10 : 0;
    const emptiest = hard ? this.#emptiest(0.1) : Number.NEGATIVE_INFINITY;
    for (const [key, bucket] of this.#buckets) {
      const fresh = bucket.tat <= now && bucket.unshared === 0;
      if (!fresh && (surplus <= 0 || bucket.tat > emptiest)) continue;
      this.#buckets.delete(key);
      this.#touched.delete(key);
      this.#due.delete(key);
      surplus -= 1;
    }
  }

  /** The theoretical arrival time that a share of the buckets is not beyond, by a sample: to sort all would hold up requests. */
  #emptiest(share: number): number {
    const every = Math.max(1, Math.floor(this.#buckets.size / SAMPLE));
    const times: number[] = [];
    let index = 0;
    for (const { tat } of this.#buckets.values()) {
      if (index % every === 0) times.push(tat);
      index += 1;
    }
    times.sort((a, b) => a - b);
    return times[Math.floor(times.length * share)] ?? Number.NEGATIVE_INFINITY;
  }
}
