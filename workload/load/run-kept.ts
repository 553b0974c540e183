import { build, type Histogram } from 'hdr-histogram-js';
import type { Arrivals } from './arrivals.ts';
import { KeptConnection, type KeptOutcome } from './kept-connection.ts';
import { wakeAt } from './wakes.ts';

export interface KeptLoadOptions {
  readonly connect: { readonly host: string; readonly port: number };
  readonly hostHeader: string;
  readonly path: string;
  readonly arrivals: Arrivals;
  /** Requests that are due before this many ms of the run are sent and not counted: caches are cold. */
  readonly countFromMs: number;
  /** Kept all the time. A request that finds all of them in use waits for one, and its latency counts on. */
  readonly connections: number;
  /** Requests without an answer so long after the last arrival end as `TIMEOUT`. */
  readonly timeoutMs: number;
}

/** Milliseconds. */
export interface KeptPercentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface KeptReport {
  /** Requests that count. */
  readonly requests: number;
  /** Answered with a status below 400. */
  readonly ok: number;
  /** Status or error code → how many. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** From the planned start to the last byte. */
  readonly latencyMs: KeptPercentiles;
  /** How much later than planned the generator itself was. It is in the latency, too. */
  readonly lateMs: KeptPercentiles;
}

interface Sent {
  readonly plannedAt: number;
  readonly counts: boolean;
}

/**
 * An open loop over connections that are kept, sent at planned times and measured from these, as wrk2 does (Gil Tene, "How
 * NOT to Measure Latency"); on bare sockets and woken by a thread of its own, so that what it measures is not itself.
 */
export async function runKeptLoad(options: KeptLoadOptions): Promise<KeptReport> {
  const { arrivals, countFromMs, connections } = options;
  const request = `GET ${options.path} HTTP/1.1\r\nHost: ${options.hostHeader}\r\n\r\n`;
  const [latency, lateness] = [newHistogram(), newHistogram()];
  const outcomes = new Map<string, number>();
  const result = { requests: 0, ok: 0 };
  const open = new Set<KeptConnection>();
  /** In order of their last use, so that all are in use. */
  const free: KeptConnection[] = [];
  const waiting: Sent[] = [];
  const sent = new Map<KeptConnection, Sent>();
  let stopped = false;

  const send = (connection: KeptConnection, one: Sent) => {
    sent.set(connection, one);
    connection.send(request);
  };
  const release = (connection: KeptConnection) => {
    const next = waiting.shift();
    if (next === undefined) free.push(connection);
    else send(connection, next);
  };
  const record = (one: Sent, outcome: KeptOutcome) => {
    if (!one.counts) return;
    result.requests += 1;
    outcomes.set(String(outcome), (outcomes.get(String(outcome)) ?? 0) + 1);
    latency.recordValue(micros(performance.now() - one.plannedAt));
    if (typeof outcome === 'number' && outcome < 400) result.ok += 1;
  };
  const end = (connection: KeptConnection, outcome: KeptOutcome) => {
    const one = sent.get(connection);
    sent.delete(connection);
    if (one !== undefined) record(one, outcome);
    if (typeof outcome === 'number' && !stopped) release(connection);
  };
  const add = (whenOpen: (connection: KeptConnection) => void) => {
    const close = (closed: KeptConnection) => {
      open.delete(closed);
      const index = free.indexOf(closed);
      if (index !== -1) free.splice(index, 1);
      if (!stopped) setTimeout(() => stopped || add(release), RECONNECT_MS);
    };
    open.add(new KeptConnection(options.connect, { open: whenOpen, end, close }));
  };

  await new Promise<void>((resolve) => {
    for (let index = 0; index < connections; index += 1) {
      add((connection) => {
        free.push(connection);
        if (free.length === connections) resolve();
      });
    }
    setTimeout(resolve, options.timeoutMs);
  });

  let index = 0;
  await wakeAt(arrivals, (due, startedAt) => {
    for (; index < due; index += 1) {
      const offset = arrivals.at(index) ?? 0;
      const one: Sent = { plannedAt: startedAt + offset, counts: offset >= countFromMs };
      const connection = free.shift();
      if (connection === undefined) waiting.push(one);
      else send(connection, one);
      if (one.counts) lateness.recordValue(micros(performance.now() - one.plannedAt));
    }
  });
  const limit = performance.now() + options.timeoutMs;
  while (sent.size + waiting.length > 0 && performance.now() < limit) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  stopped = true;
  for (const one of waiting.splice(0)) record(one, 'TIMEOUT');
  for (const connection of open) connection.destroy('TIMEOUT');
  return {
    ...result,
    outcomes: Object.fromEntries(outcomes),
    latencyMs: percentiles(latency),
    lateMs: percentiles(lateness),
  };
}

const RECONNECT_MS = 100;
const LONGEST_MICROS = 600_000_000;

/** From 1 µs to 10 minutes with three digits. */
function newHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_MICROS,
    numberOfSignificantValueDigits: 3,
  });
}

function micros(ms: number): number {
  return Math.min(LONGEST_MICROS, Math.max(1, Math.round(ms * 1000)));
}

function percentiles(histogram: Histogram): KeptPercentiles {
  const at = (rank: number) => histogram.getValueAtPercentile(rank) / 1000;
  return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: histogram.maxValue / 1000 };
}
