import type { MetricWant } from '@skyrun/contracts';

/** How much of each new sample goes into the level and into the trend (Holt's linear method). */
const LEVEL_SHARE = 0.4;
const TREND_SHARE = 0.2;
/** Samples are this far apart. */
export const SAMPLE_MS = 15_000;
/** How far ahead it looks: longer than an instance takes to start. */
const AHEAD_SAMPLES = 4;
/** Too few tell no trend. */
const FEWEST_SAMPLES = 8;
/** A forecast is never trusted beyond so many times what was seen. */
const MOST_GROWTH = 2;

/** Level and trend of the demand so far; demand is what the scaling metric says of the whole revision. */
export interface Trend {
  readonly level: number;
  readonly slope: number;
  readonly highest: number;
  readonly samples: number;
  readonly at: number;
}

export function addSample(trend: Trend | null, demand: number, at: number): Trend {
  if (trend === null) return { level: demand, slope: 0, highest: demand, samples: 1, at };
  const level = LEVEL_SHARE * demand + (1 - LEVEL_SHARE) * (trend.level + trend.slope);
  const slope = TREND_SHARE * (level - trend.level) + (1 - TREND_SHARE) * trend.slope;
  return { level, slope, highest: Math.max(demand, trend.highest * 0.98), samples: trend.samples + 1, at };
}

/** A floor for what is about to come, where demand grows; null where it does not, or too little is known. Pure. */
export function predictedFloor(trend: Trend | null, target: number): MetricWant | null {
  if (trend === null || trend.samples < FEWEST_SAMPLES || trend.slope <= 0) return null;
  const value = Math.min(trend.level + trend.slope * AHEAD_SAMPLES, trend.highest * MOST_GROWTH);
  const want = Math.ceil(value / target - 1e-9);
  return want < 1 ? null : { metric: 'prediction', value, target, want, note: 'the trend of the last minutes' };
}
