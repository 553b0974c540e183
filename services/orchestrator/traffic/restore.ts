import type { MetricsStore } from '../store/metrics-store.ts';
import type { TrafficIntake } from './intake.ts';
import { METRIC_STEP_MS } from './recorder.ts';

/** As much of a window as is worth reading again; longer ones begin anew before that. */
const LONGEST_WINDOW_MS = 600_000;

/** A leader goes on with the window that the one before it measured, in so far as that was stored: up to its last full step. */
export async function restoreTraffic(metrics: MetricsStore, intake: TrafficIntake, now: number): Promise<void> {
  for (const { revisionId, at, tally } of await metrics.readAll(now - LONGEST_WINDOW_MS)) {
    if (at + METRIC_STEP_MS <= now) intake.restore(revisionId, at, at + METRIC_STEP_MS, tally);
  }
}
