import { latencyQuantile, type MetricPoint } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { MetricRow } from '../store/metrics-store.ts';
import { METRIC_STEP_MS } from '../traffic/recorder.ts';
import { addTally, emptyTally } from '../traffic/tally.ts';

/** One point per step from the first full one on; a step without a row is a step without traffic or instances. */
export function metricPoints(rows: readonly MetricRow[], since: number, now: number): MetricPoint[] {
  const steps = Map.groupBy(rows, ({ at }) => at);
  const first = Math.ceil(since / METRIC_STEP_MS) * METRIC_STEP_MS;
  const points: MetricPoint[] = [];
  for (let at = first; at + METRIC_STEP_MS <= now; at += METRIC_STEP_MS) points.push(pointOf(at, steps.get(at) ?? []));
  return points;
}

function pointOf(at: number, rows: readonly MetricRow[]): MetricPoint {
  const sum = emptyTally();
  const instances = { ready: 0, starting: 0 };
  for (const row of rows) {
    addTally(sum, row.tally);
    instances.ready += row.instances.ready;
    instances.starting += row.instances.starting;
  }
  return {
    at: isoTime(at),
    windowMs: METRIC_STEP_MS,
    requestsPerSecond: (sum.requests * 1000) / METRIC_STEP_MS,
    concurrency: sum.concurrencyMs / METRIC_STEP_MS,
    queued: sum.queued,
    statusClasses: sum.statusClasses,
    p50Ms: latencyQuantile(sum.latencyBuckets, 0.5),
    p95Ms: latencyQuantile(sum.latencyBuckets, 0.95),
    p99Ms: latencyQuantile(sum.latencyBuckets, 0.99),
    instances,
  };
}
