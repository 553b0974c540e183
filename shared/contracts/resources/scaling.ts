import { z } from 'zod';
import { cronError, isTimeZone } from './cron.ts';

/**
 * A further signal that a revision scales by, beside its concurrency or requests per second:
 * - `cpu`, `memory`: use as a percentage of the limit, mean of the instances;
 * - `latency`: milliseconds within which 95 % of the requests of the stable window were answered;
 * - `connections`: requests and open connections per instance, at this moment;
 * - `custom`: a figure that each instance tells in Prometheus text at `path`, mean of the instances.
 */
export const scaleTarget = z
  .strictObject({
    metric: z.enum(['cpu', 'memory', 'latency', 'connections', 'custom']),
    target: z.number().positive().max(1e9),
    /** Of `custom`: the name of the series; those that differ in labels only are added up. */
    name: z
      .string()
      .regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, 'expected a metric name such as queue_depth')
      .optional(),
    path: z.string().startsWith('/').default('/metrics'),
    /** More instances are wanted above this multiple of the target. */
    scaleOutAbove: z.number().min(1).max(10).default(1.1),
    /** Fewer below this. */
    scaleInBelow: z.number().min(0).max(1).default(0.9),
    /** No more instances for this reason until so long after the last change. */
    scaleOutCooldownSeconds: z.int().min(0).max(3600).default(0),
    scaleInCooldownSeconds: z.int().min(0).max(3600).default(60),
  })
  .superRefine((value, context) => {
    if (value.metric === 'custom' && value.name === undefined) {
      context.addIssue({ code: 'custom', path: ['name'], message: 'a custom metric needs its name' });
    }
  });
export type ScaleTarget = z.infer<typeof scaleTarget>;

/** A floor under the number of instances for a while after each time that `cron` names. */
export const scaleSchedule = z.strictObject({
  cron: z.string().superRefine((value, context) => {
    const message = cronError(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  }),
  timeZone: z.string().refine(isTimeZone, 'expected a time zone such as Europe/Berlin').default('UTC'),
  durationSeconds: z.int().min(60).max(604_800).default(3600),
  minScale: z.int().min(1).max(1000),
});
export type ScaleSchedule = z.infer<typeof scaleSchedule>;

/**
 * What becomes of an instance that is not needed, rung by rung; 0 leaves a rung out.
 *
 *   running ──not needed──► paused ──`pausedSeconds`──► stopped ──`stoppedSeconds`──► removed
 *
 * Running instances leave the first rung by `stableWindowSeconds`, `scaleToZeroGraceSeconds` and `scaleDownDelaySeconds`.
 * A paused one answers again within milliseconds and keeps its memory; a stopped one keeps only what it costs to create it.
 * Instances whose CPU is always allocated (`billingMode: instance`) are never paused.
 */
export const idleLadder = z.strictObject({
  pausedSeconds: z.int().min(0).max(86_400).default(300),
  stoppedSeconds: z.int().min(0).max(86_400).default(0),
});
export type IdleLadder = z.infer<typeof idleLadder>;

export const scaling = z
  .strictObject({
    minScale: z.int().min(0).max(1000).default(0),
    maxScale: z.int().min(1).max(1000).default(20),
    /** What is counted: requests at once, or requests per second. */
    metric: z.enum(['concurrency', 'rps']).default('concurrency'),
    /** Of `metric` per instance, before `targetUtilization`; absent: `containerConcurrency`, or 200 requests per second. */
    target: z.number().min(0.01).max(100_000).optional(),
    targetUtilization: z.number().min(0.01).max(1).default(0.7),
    /** How many instances prove a new revision. */
    initialScale: z.int().min(1).max(1000).default(1),
    /** With how many instances it leaves zero. */
    activationScale: z.int().min(1).max(1000).default(1),
    stableWindowSeconds: z.int().min(6).max(3600).default(60),
    panicWindowPercent: z.number().min(1).max(100).default(10),
    panicThresholdPercent: z.number().min(110).max(1000).default(200),
    /** One decision multiplies the ready instances at most by it. */
    maxScaleUpRate: z.number().min(1.1).max(1000).default(1000),
    /** One decision divides them at most by it. */
    maxScaleDownRate: z.number().min(1.1).max(1000).default(2),
    scaleToZeroGraceSeconds: z.int().min(1).max(3600).default(30),
    scaleDownDelaySeconds: z.int().min(0).max(3600).default(0),
    targets: z.array(scaleTarget).max(10).optional(),
    schedules: z.array(scaleSchedule).max(20).optional(),
    /** Whether the trend of the last minutes sets a floor. */
    predictive: z.boolean().default(false),
    idle: idleLadder.prefault({}),
    /** Paused instances that are kept beside those that run. */
    warmPool: z.int().min(0).max(20).default(0),
  })
  .superRefine((value, context) => {
    if (value.minScale > value.maxScale) {
      context.addIssue({ code: 'custom', path: ['minScale'], message: `must not exceed maxScale (${value.maxScale})` });
    }
  });
export type Scaling = z.infer<typeof scaling>;
