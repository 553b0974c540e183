import type { MetricWant, ScaleTarget } from '@skyrun/contracts';

/** A further metric and its value per instance now; null where it is not measured. */
export interface Signal {
  readonly target: ScaleTarget;
  readonly value: number | null;
}

export interface SignalContext {
  readonly ready: number;
  /** There were requests in the stable window. */
  readonly active: boolean;
  /** When the wanted number last changed; 0 for never. */
  readonly changedAt: number;
}

/** Latency does not fall in proportion to instances: one decision doubles them at most for its sake. */
const MOST_GROWTH_BY_LATENCY = 2;

export const signalName = ({ metric, name }: ScaleTarget): string => (metric === 'custom' ? `custom:${name}` : metric);

/**
 * How many instances a metric asks for: as many more as its value is above the target, where it leaves the band between
 * the two thresholds and the cooldown of that direction is over; otherwise as many as there are. Without requests only a
 * custom metric asks for anything, so that memory which is merely held keeps nothing from going to zero. Pure.
 */
export function signalWant(
  { target, value }: Signal,
  { ready, active, changedAt }: SignalContext,
  now: number,
): MetricWant {
  const told = { metric: signalName(target), value, target: target.target };
  if (value === null || ready === 0) return { ...told, want: null, note: ready === 0 ? 'no instance' : 'not measured' };
  if (!active && (target.metric !== 'custom' || value === 0)) return { ...told, want: null, note: 'no requests' };
  const ratio = value / target.target;
  const out = ratio > target.scaleOutAbove;
  if (!out && ratio >= target.scaleInBelow) return { ...told, want: ready, note: 'within its thresholds' };
  const cooldownSeconds = out ? target.scaleOutCooldownSeconds : target.scaleInCooldownSeconds;
  if (now - changedAt < cooldownSeconds * 1000) return { ...told, want: ready, note: 'cooldown' };
  const factor = target.metric === 'latency' ? Math.min(ratio, MOST_GROWTH_BY_LATENCY) : ratio;
  return { ...told, want: Math.max(1, Math.ceil(ready * factor - 1e-9)) };
}
