import { z } from 'zod';
import { timestamp } from '../names.ts';

/** Upper bounds, in milliseconds, of the latency buckets that gateways count; one more bucket holds the rest. */
export const LATENCY_BOUNDS_MS = [
  1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000, 10_000,
  15_000, 30_000, 60_000,
] as const;

/** The smallest bound under which a share of `quantile` (0–1) of the counted requests lies; null when none was counted. */
export function latencyQuantile(buckets: readonly number[], quantile: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(total * quantile));
  let seen = 0;
  for (let index = 0; index < buckets.length; index += 1) {
    seen += buckets[index] ?? 0;
    if (seen >= rank) return LATENCY_BOUNDS_MS[index] ?? LATENCY_BOUNDS_MS[LATENCY_BOUNDS_MS.length - 1] ?? null;
  }
  return null;
}

export const statusClasses = z.object({
  '1xx': z.int(),
  '2xx': z.int(),
  '3xx': z.int(),
  '4xx': z.int(),
  '5xx': z.int(),
});
export type StatusClasses = z.infer<typeof statusClasses>;

/** One moment of a service's or revision's traffic. */
export const metricPoint = z.object({
  at: timestamp,
  windowMs: z.int(),
  requestsPerSecond: z.number(),
  concurrency: z.number().describe('time-weighted mean of requests in flight, waiting ones included'),
  queued: z.number(),
  statusClasses,
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  instances: z.object({ ready: z.int(), starting: z.int() }),
});
export type MetricPoint = z.infer<typeof metricPoint>;

/** What one metric asks for: `value` of `target`, so many instances; null where it is not measured now. */
export const metricWant = z.object({
  metric: z.string().describe('concurrency, rps, cpu, memory, latency, connections, custom:NAME, schedule, prediction'),
  value: z.number().nullable(),
  target: z.number(),
  want: z.int().nullable(),
  note: z.string().optional(),
});
export type MetricWant = z.infer<typeof metricWant>;

/** A scaling verdict with every input that led to it. */
export const decision = z.object({
  at: timestamp,
  revisionId: z.string(),
  revisionName: z.string(),
  from: z.int(),
  to: z.int(),
  /** e.g. "2 → 5: concurrency 43 of target 7 per instance, panic". */
  sentence: z.string(),
  /** What bounded the want in the end; `none` where nothing did. */
  limiter: z.string().optional(),
  /** What each metric wanted; the highest wins. */
  wants: z.array(metricWant).optional(),
  inputs: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
});
export type Decision = z.infer<typeof decision>;
