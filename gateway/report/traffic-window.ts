import { LATENCY_BOUNDS_MS, type TrafficReport } from '@skyrun/contracts';

export type RevisionTraffic = TrafficReport['revisions'][number];

type ColdStart = NonNullable<RevisionTraffic['coldStarts']>[number];
/** Of one window; more would tell nothing more. */
const MOST_COLD_STARTS = 100;

/** What one revision saw since the last report. Times are monotonic ms. */
export class TrafficWindow {
  /** In flight plus waiting. */
  current = 0;
  #area = 0;
  #changedAt: number;
  #startedAt: number;
  #requests = 0;
  #classes = [0, 0, 0, 0, 0];
  #buckets = emptyBuckets();
  #coldStarts: ColdStart[] = [];

  constructor(now: number) {
    this.#changedAt = now;
    this.#startedAt = now;
  }

  arrive(now: number): void {
    this.#area += this.current * (now - this.#changedAt);
    this.#changedAt = now;
    this.current += 1;
  }

  /** A request ended; `latencyMs` counts from its arrival, waiting included. */
  end(now: number, status: number, latencyMs: number): void {
    this.#area += this.current * (now - this.#changedAt);
    this.#changedAt = now;
    this.current -= 1;
    this.#requests += 1;
    const index = Math.floor(status / 100) - 1;
    this.#classes[index] = (this.#classes[index] ?? 0) + 1;
    const bucket = bucketOf(latencyMs);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  /** The first answer of an instance went to a request that had waited for it, so long after it came. */
  coldStart(instanceId: string, totalMs: number): void {
    if (this.#coldStarts.length < MOST_COLD_STARTS) this.#coldStarts.push({ instanceId, totalMs });
  }

  /** A request left for another revision. */
  move(now: number): void {
    this.#area += this.current * (now - this.#changedAt);
    this.#changedAt = now;
    this.current -= 1;
  }

  /** What is known at `now`, without ending the window: the body of an activation. */
  peek(now: number, revisionId: string, queued: number): RevisionTraffic {
    const elapsed = now - this.#startedAt;
    const area = this.#area + this.current * (now - this.#changedAt);
    const [c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0] = this.#classes;
    return {
      revisionId,
      concurrency: elapsed > 0 ? area / elapsed : this.current,
      current: this.current,
      queued,
      requests: this.#requests,
      statusClasses: { '1xx': c1, '2xx': c2, '3xx': c3, '4xx': c4, '5xx': c5 },
      latencyBuckets: this.#buckets,
      ...(this.#coldStarts.length === 0 ? {} : { coldStarts: this.#coldStarts }),
    };
  }

  /** Ends the window and begins the next; null when nothing happened in it and nothing is in flight. */
  take(now: number, revisionId: string, queued: number): RevisionTraffic | null {
    const traffic = this.peek(now, revisionId, queued);
    this.#area = 0;
    this.#changedAt = now;
    this.#startedAt = now;
    this.#requests = 0;
    this.#classes = [0, 0, 0, 0, 0];
    this.#buckets = emptyBuckets();
    this.#coldStarts = [];
    const idle = traffic.requests === 0 && traffic.current === 0 && traffic.concurrency === 0;
    return idle ? null : traffic;
  }
}

function emptyBuckets(): number[] {
  return new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0);
}

export function bucketOf(latencyMs: number): number {
  let index = 0;
  while (index < LATENCY_BOUNDS_MS.length && latencyMs > (LATENCY_BOUNDS_MS[index] ?? 0)) index += 1;
  return index;
}
