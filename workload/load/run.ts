import { Agent, request } from 'node:http';
import type { Clock } from '@skyrun/kit';
import { build, type Histogram } from 'hdr-histogram-js';
import type { Arrivals } from './arrivals.ts';
import type { LoadReport, LoadSecond } from './report.ts';

export interface LoadOptions {
  /** Where to connect: the gateway's address. */
  readonly connect: { readonly host: string; readonly port: number };
  /** The Host that is asked for. */
  readonly hostHeader: string;
  readonly path: string;
  readonly method: string;
  readonly arrivals: Arrivals;
  /** A request that has not ended by then counts as an error. */
  readonly timeoutMs: number;
  /** At most so many requests under way; an arrival beyond it is counted as `notSent`, never silently delayed. */
  readonly maxInFlight: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Called about once a second. */
  readonly onSecond?: (second: LoadSecond) => void;
  /** Called for each request that ended: the generator's own log. */
  readonly onRequest?: (request: LoggedRequest) => void;
}

/** One request as its sender saw it; times in Unix ms, rounded outwards. */
export interface LoggedRequest {
  readonly sentAt: number;
  readonly endedAt: number;
  /** 0 without an answer. */
  readonly status: number;
}

/** Latencies from 1 µs to 10 minutes with three digits. */
function newHistogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: 3 });
}

/**
 * Sends requests at their planned times, whether earlier ones have been answered or not. Latency counts from the
 * planned time, so a stall of the service or of this process shows (no coordinated omission; Gil Tene, "How NOT to
 * Measure Latency").
 */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const { arrivals, clock, signal } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: options.maxInFlight });
  const latency = newHistogram();
  const state = { sent: 0, ok: 0, notSent: 0, bytes: 0 };
  const statuses = new Map<number, number>();
  const errors = new Map<string, number>();
  const pending = new Set<Promise<void>>();
  const started = clock.monotonic();
  let tick = { at: started, done: 0, latency: newHistogram() };

  const finish = (plannedAt: number, outcome: Outcome) => {
    const micros = Math.max(1, Math.round((clock.monotonic() - plannedAt) * 1000));
    latency.recordValue(Math.min(micros, 600_000_000));
    tick.latency.recordValue(Math.min(micros, 600_000_000));
    tick.done += 1;
    state.bytes += outcome.bytes;
    if (outcome.error !== undefined) errors.set(outcome.error, (errors.get(outcome.error) ?? 0) + 1);
    else {
      statuses.set(outcome.status, (statuses.get(outcome.status) ?? 0) + 1);
      if (outcome.status < 400) state.ok += 1;
    }
  };

  const reportSecond = () => {
    const now = clock.monotonic();
    if (now - tick.at < 1000) return;
    options.onSecond?.({
      elapsedMs: Math.round(now - started),
      requestsPerSecond: (tick.done * 1000) / (now - tick.at),
      inFlight: pending.size,
      p50Ms: percentile(tick.latency, 50),
      p99Ms: percentile(tick.latency, 99),
      errors: sum(errors),
    });
    tick = { at: now, done: 0, latency: newHistogram() };
  };

  for (let index = 0; signal?.aborted !== true; index += 1) {
    const offset = arrivals.at(index);
    if (offset === null) break;
    const plannedAt = started + offset;
    const wait = plannedAt - clock.monotonic();
    if (wait > 0) await clock.sleep(Math.min(wait, 600_000), signal).catch(() => undefined);
    if (signal?.aborted) break;
    reportSecond();
    if (pending.size >= options.maxInFlight) {
      state.notSent += 1;
      continue;
    }
    state.sent += 1;
    const sentAt = Math.floor(clock.now());
    const one = send(options, agent).then((outcome) => {
      finish(plannedAt, outcome);
      options.onRequest?.({ sentAt, endedAt: Math.ceil(clock.now()), status: outcome.status });
    });
    pending.add(one);
    void one.finally(() => pending.delete(one));
  }
  while (pending.size > 0) {
    await Promise.race([...pending, clock.sleep(1000)]);
    reportSecond();
  }
  agent.destroy();

  const elapsedMs = clock.monotonic() - started;
  return {
    elapsedMs: Math.round(elapsedMs),
    sent: state.sent,
    ok: state.ok,
    failed: state.sent - state.ok,
    notSent: state.notSent,
    bytes: state.bytes,
    requestsPerSecond: (state.sent * 1000) / Math.max(1, elapsedMs),
    statuses: Object.fromEntries([...statuses].sort(([a], [b]) => a - b).map(([code, n]) => [String(code), n])),
    errors: Object.fromEntries(errors),
    latencyMs: {
      min: latency.totalCount === 0 ? null : latency.minNonZeroValue / 1000,
      p50: percentile(latency, 50),
      p90: percentile(latency, 90),
      p95: percentile(latency, 95),
      p99: percentile(latency, 99),
      p999: percentile(latency, 99.9),
      max: latency.totalCount === 0 ? null : latency.maxValue / 1000,
    },
  };
}

interface Outcome {
  readonly status: number;
  readonly bytes: number;
  readonly error?: string;
}

function send(options: LoadOptions, agent: Agent): Promise<Outcome> {
  return new Promise((resolve) => {
    let bytes = 0;
    const call = request(
      {
        agent,
        host: options.connect.host,
        port: options.connect.port,
        method: options.method,
        path: options.path,
        headers: { host: options.hostHeader },
        timeout: options.timeoutMs,
      },
      (response) => {
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, bytes }));
        response.on('error', (error) => resolve({ status: 0, bytes, error: errorName(error) }));
      },
    );
    call.on('timeout', () => call.destroy(Object.assign(new Error('timeout'), { code: 'TIMEOUT' })));
    call.on('error', (error) => resolve({ status: 0, bytes, error: errorName(error) }));
    call.end();
  });
}

function errorName(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function percentile(histogram: Histogram, rank: number): number | null {
  return histogram.totalCount === 0 ? null : histogram.getValueAtPercentile(rank) / 1000;
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
