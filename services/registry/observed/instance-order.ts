import type { Instance } from '@skyrun/contracts';

/** States in which an instance is not over, so that something of it may run or be kept. */
export const LIVE_STATES = ['starting', 'ready', 'unready', 'paused', 'parked', 'draining'] as const;

/** Without versions: an instance moves forward through these; the two ends are the same step. */
const STEP: Readonly<Record<Instance['state'], number>> = {
  starting: 0,
  ready: 1,
  unready: 1,
  paused: 1,
  parked: 1,
  draining: 2,
  stopped: 3,
  failed: 3,
};

type Told = Pick<Instance, 'state' | 'stateVersion'>;

/** Whether an event tells more than what is known: events of one instance may come late, or again. */
export function isNews(known: Told, told: Told): boolean {
  if (known.stateVersion !== undefined && told.stateVersion !== undefined)
    return told.stateVersion > known.stateVersion;
  return STEP[told.state] > STEP[known.state];
}
