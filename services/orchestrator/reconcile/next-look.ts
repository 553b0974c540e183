import { ladderOf } from './ladder.ts';
import type { ObservedInstance } from './observed.ts';
import type { DesiredRevision, RevisionVerdict } from './records.ts';

/** What goes on is looked at again so soon. */
export const LOOK_AGAIN_MS = 250;

export interface Looked {
  readonly revision: DesiredRevision | undefined;
  readonly instances: readonly ObservedInstance[];
  readonly verdict: RevisionVerdict | undefined;
  /** The plan had something to do for it. */
  readonly acted: boolean;
}

/**
 * When the plan of a revision could say something else although nothing is told of it: soon while anything goes on, when a
 * pause after failures is over, when an idle instance goes down a rung; null where only news can change it. Pure.
 */
export function nextLook({ revision, instances, verdict, acted }: Looked, now: number): number | null {
  if (acted || instances.some((instance) => !isSettled(instance))) return now + LOOK_AGAIN_MS;
  const { pausedMs, stoppedMs } = ladderOf(revision, 0, { pause: true, restart: true });
  const times = instances.flatMap(({ record }) => {
    if (record.idleSince === null) return [];
    return [record.idleSince + (record.state === 'parked' ? stoppedMs : pausedMs)];
  });
  if (verdict && verdict.retryAt > now) times.push(verdict.retryAt);
  const next = Math.min(...times.filter((at) => at > now));
  return Number.isFinite(next) ? next : null;
}

/** Nothing is under way that ends without anyone telling. */
function isSettled({ record, container, busy, rising }: ObservedInstance): boolean {
  if (busy || rising || typeof container === 'string') return false;
  switch (record.state) {
    case 'ready':
    case 'unready':
      return container.state === 'running';
    case 'paused':
      return container.paused === true;
    case 'parked':
      return container.state === 'exited';
    default:
      return false;
  }
}
