import type { ScaleWindow, Verdict } from './decide.ts';
import type { ScalePolicy } from './policy.ts';
import { scheduleChangesAt } from './schedules.ts';

/** While anything is measured, or a want is held back or up for a time, it is judged so often. */
export const JUDGE_AGAIN_MS = 1_000;

/** Bounds that hold for ever; all others end by themselves. */
const LASTING: ReadonlySet<Verdict['limiter']> = new Set(['none', 'minScale', 'maxScale', 'schedule']);

/**
 * When a verdict could be another although no traffic is told of: null where it cannot. At rest is what has an empty window
 * and a want that nothing temporary bounds. Pure, but for what is remembered of schedules.
 */
export function nextJudgement(
  policy: ScalePolicy,
  window: Pick<ScaleWindow, 'stable' | 'panic' | 'wanted' | 'settled'> & { readonly current: number },
  { wanted, limiter, panicking, memory }: Pick<Verdict, 'wanted' | 'limiter' | 'panicking' | 'memory'>,
  now: number,
): number | null {
  const measured = (window.stable ?? 0) > 0 || (window.panic ?? 0) > 0 || window.current > 0;
  const held = memory.delayed.some((entry) => entry.wanted !== wanted);
  const asks = policy.predictive || policy.targets.some(({ metric }) => metric === 'custom');
  const moves = wanted !== window.wanted || panicking || held || !window.settled || !LASTING.has(limiter);
  if (measured || moves || asks) return now + JUDGE_AGAIN_MS;
  return policy.schedules.length === 0 ? null : scheduleChangesAt(policy.schedules, now);
}
