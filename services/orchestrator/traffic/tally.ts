import { LATENCY_BOUNDS_MS, type StatusClasses, type TrafficReport } from '@skyrun/contracts';

export type RevisionReport = TrafficReport['revisions'][number];

/** Traffic added up over a span of time and any number of gateways. */
export interface Tally {
  requests: number;
  /** Concurrency × milliseconds. */
  concurrencyMs: number;
  /** The most that waited at once. */
  queued: number;
  readonly statusClasses: StatusClasses;
  readonly latencyBuckets: number[];
}

export function emptyTally(): Tally {
  return {
    requests: 0,
    concurrencyMs: 0,
    queued: 0,
    statusClasses: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
    latencyBuckets: new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0),
  };
}

export function addReport(tally: Tally, report: RevisionReport, windowMs: number): void {
  addTally(tally, { ...report, concurrencyMs: report.concurrency * windowMs });
}

export function addTally(tally: Tally, more: Readonly<Tally>): void {
  tally.requests += more.requests;
  tally.concurrencyMs += more.concurrencyMs;
  tally.queued = Math.max(tally.queued, more.queued);
  for (const name of ['1xx', '2xx', '3xx', '4xx', '5xx'] as const)
    tally.statusClasses[name] += more.statusClasses[name];
  more.latencyBuckets.forEach((count, index) => {
    tally.latencyBuckets[index] = (tally.latencyBuckets[index] ?? 0) + count;
  });
}

export function isEmpty(tally: Tally): boolean {
  return tally.requests === 0 && tally.concurrencyMs === 0 && tally.queued === 0;
}
