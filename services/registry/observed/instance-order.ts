import type { Instance } from '@skyrun/contracts';

/** An instance only moves forward through these; the two ends are the same step. */
const STEP: Readonly<Record<Instance['state'], number>> = { starting: 0, ready: 1, draining: 2, stopped: 3, failed: 3 };

/** Whether an event tells more than what is known: events of one instance may come late, or again. */
export function isNews(known: Instance['state'], told: Instance['state']): boolean {
  return STEP[told] > STEP[known];
}
