import type { RevisionTemplate } from '@skyrun/contracts';

/** How a revision scales; Knative's words, times in milliseconds. */
export interface ScalePolicy {
  /** Concurrent requests that one instance should have. */
  readonly target: number;
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

/** Knative's defaults of what a service cannot set. */
const MAX_SCALE_UP_RATE = 1000;
const MAX_SCALE_DOWN_RATE = 2;
/** Knative's target where `containerConcurrency` sets no limit. */
const UNLIMITED_CONCURRENCY_TARGET = 100;

export function policyOf({ scaling, containerConcurrency }: RevisionTemplate): ScalePolicy {
  const limit = containerConcurrency === 0 ? UNLIMITED_CONCURRENCY_TARGET : containerConcurrency;
  const soft = scaling.target ?? limit * scaling.targetUtilization;
  return {
    // A target above the hard limit would leave requests waiting for ever.
    target: containerConcurrency === 0 ? soft : Math.min(soft, containerConcurrency),
    minScale: scaling.minScale,
    maxScale: scaling.maxScale,
    stableWindowMs: scaling.stableWindowSeconds * 1000,
    panicWindowMs: (scaling.stableWindowSeconds * 1000 * scaling.panicWindowPercent) / 100,
    panicThreshold: scaling.panicThresholdPercent / 100,
    maxScaleUpRate: MAX_SCALE_UP_RATE,
    maxScaleDownRate: MAX_SCALE_DOWN_RATE,
    scaleToZeroGraceMs: scaling.scaleToZeroGraceSeconds * 1000,
    scaleDownDelayMs: scaling.scaleDownDelaySeconds * 1000,
  };
}
