/** What one run measured. Latencies are milliseconds from the planned start of a request to its last byte. */
export interface LoadReport {
  readonly elapsedMs: number;
  readonly sent: number;
  /** Answered with a status below 400. */
  readonly ok: number;
  readonly failed: number;
  /** Arrivals that found too many requests under way. */
  readonly notSent: number;
  readonly bytes: number;
  readonly requestsPerSecond: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Error code → count, for requests that got no complete answer. */
  readonly errors: Readonly<Record<string, number>>;
  readonly latencyMs: {
    readonly min: number | null;
    readonly p50: number | null;
    readonly p90: number | null;
    readonly p95: number | null;
    readonly p99: number | null;
    readonly p999: number | null;
    readonly max: number | null;
  };
}

/** Progress of a run, about once a second. */
export interface LoadSecond {
  readonly elapsedMs: number;
  readonly requestsPerSecond: number;
  readonly inFlight: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly errors: number;
}
