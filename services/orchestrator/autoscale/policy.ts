import type { RevisionTemplate, ScaleSchedule, ScaleTarget, Scaling } from '@skyrun/contracts';

/** How a revision scales; Knative's words, times in milliseconds. */
export interface ScalePolicy {
  /** What is counted: requests at once, or requests per second. */
  readonly metric: Scaling['metric'];
  /** Of `metric`, what one instance should have. */
  readonly target: number;
  /** So many at least, where any is needed. */
  readonly activationScale: number;
  /** Further metrics; the highest want wins. */
  readonly targets: readonly ScaleTarget[];
  readonly schedules: readonly ScaleSchedule[];
  readonly predictive: boolean;
  readonly minScale: number;
  readonly maxScale: number;
  readonly stableWindowMs: number;
  readonly panicWindowMs: number;
  /** Panic begins when the panic window wants so many times the ready instances. */
  readonly panicThreshold: number;
  /** One decision multiplies the ready instances at most by it. */
  readonly maxScaleUpRate: number;
  /** One decision divides them at most by it. */
  readonly maxScaleDownRate: number;
  /** So long without a request before the last instance goes. */
  readonly scaleToZeroGraceMs: number;
  /** A lower want must hold so long before it is followed. */
  readonly scaleDownDelayMs: number;
}

/** Knative's target where `containerConcurrency` sets no limit. */
const UNLIMITED_CONCURRENCY_TARGET = 100;
/** Knative's requests per second per instance. */
const RPS_TARGET = 200;

export function policyOf({ scaling, containerConcurrency }: RevisionTemplate): ScalePolicy {
  return {
    metric: scaling.metric,
    target: scaling.targetUtilization * totalOf(scaling, containerConcurrency),
    activationScale: scaling.activationScale,
    targets: scaling.targets ?? [],
    schedules: scaling.schedules ?? [],
    predictive: scaling.predictive,
    minScale: scaling.minScale,
    maxScale: scaling.maxScale,
    stableWindowMs: scaling.stableWindowSeconds * 1000,
    panicWindowMs: (scaling.stableWindowSeconds * 1000 * scaling.panicWindowPercent) / 100,
    panicThreshold: scaling.panicThresholdPercent / 100,
    maxScaleUpRate: scaling.maxScaleUpRate,
    maxScaleDownRate: scaling.maxScaleDownRate,
    scaleToZeroGraceMs: scaling.scaleToZeroGraceSeconds * 1000,
    scaleDownDelayMs: scaling.scaleDownDelaySeconds * 1000,
  };
}

/** What one instance takes at most, of which the utilisation is the target (Knative's ResolveMetricTarget). */
function totalOf({ metric, target }: Scaling, containerConcurrency: number): number {
  if (metric === 'rps') return target ?? RPS_TARGET;
  if (containerConcurrency === 0) return target ?? UNLIMITED_CONCURRENCY_TARGET;
  // A target above the hard limit would leave requests waiting for ever.
  return Math.min(target ?? containerConcurrency, containerConcurrency);
}
