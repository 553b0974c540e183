import type { ObservedInstance } from './observed.ts';
import type { DesiredRevision } from './records.ts';
import type { Step, StopReason } from './steps.ts';

/** What the engine can do with an instance that is not needed. */
export interface LadderAbilities {
  readonly pause: boolean;
  readonly restart: boolean;
}

/** The rungs of one revision's idle ladder; times in milliseconds, 0 where a rung is left out. */
export interface Ladder {
  readonly pausedMs: number;
  readonly stoppedMs: number;
  /** How many idle instances are kept at all. */
  readonly keep: number;
  /** How many of them are kept whatever their age. */
  readonly warm: number;
}

const NO_LADDER: Ladder = { pausedMs: 0, stoppedMs: 0, keep: 0, warm: 0 };

/** Gateways need so long to hear that an instance is paused; before that it may still get a new request. */
const SETTLE_MS = 1000;

/**
 * At zero one instance is kept on the ladder, beside the warm pool; while others run, only the warm pool is. Where CPU is
 * always allocated nothing is paused, because the instance is paid for to work outside of requests.
 */
export function ladderOf(desired: DesiredRevision | undefined, target: number, can: LadderAbilities): Ladder {
  if (desired?.want !== 'serving' || desired.revision.template.billingMode === 'instance') return NO_LADDER;
  const { idle, warmPool } = desired.revision.template.scaling;
  const warm = can.pause ? warmPool : 0;
  const pausedMs = can.pause ? idle.pausedSeconds * 1000 : 0;
  const stoppedMs = can.restart ? idle.stoppedSeconds * 1000 : 0;
  const rungs = pausedMs > 0 || stoppedMs > 0;
  return { pausedMs, stoppedMs, keep: Math.max(warm, target === 0 && rungs ? 1 : 0), warm };
}

export function isOnLadder({ record }: ObservedInstance): boolean {
  return record.state === 'paused' || record.state === 'parked';
}

/** Idle instances in the order in which they are needed: those that answer soonest, the one that was used last first. */
export function byReadiness(idle: readonly ObservedInstance[]): ObservedInstance[] {
  return idle
    .filter(({ busy, container }) => !busy && container !== 'unseen' && container !== 'absent')
    .toSorted(
      (a, b) =>
        Number(a.record.state === 'parked') - Number(b.record.state === 'parked') ||
        (b.record.idleSince ?? 0) - (a.record.idleSince ?? 0),
    );
}

/**
 * What each idle instance needs now: to be frozen, to go down a rung, to leave, or to be woken for a late request.
 * `over`: why none of them is kept; null where the ladder holds.
 */
export function ladderSteps(
  idle: readonly ObservedInstance[],
  ladder: Ladder,
  over: StopReason | null,
  now: number,
): Step[] {
  const ordered = byReadiness(idle);
  return ordered.flatMap((instance, index) => {
    const { instanceId } = instance.record;
    if (over) return [{ kind: 'stop' as const, instanceId, reason: over }];
    const step = stepOf(
      instance,
      { ...ladder, keep: index < ladder.keep ? 1 : 0, warm: index < ladder.warm ? 1 : 0 },
      now,
    );
    return step ? [step] : [];
  });
}

function stepOf({ record, inFlight, container }: ObservedInstance, ladder: Ladder, now: number): Step | null {
  const { instanceId } = record;
  const idleMs = now - (record.idleSince ?? now);
  const gone: Step = { kind: 'stop', instanceId, reason: 'Idle' };
  if (record.state === 'parked') return idleMs >= ladder.stoppedMs || ladder.keep === 0 ? gone : null;
  const down: Step = ladder.stoppedMs > 0 && ladder.keep > 0 ? { kind: 'park', instanceId } : gone;
  const frozen = typeof container !== 'string' && container.paused === true;
  if (!frozen) {
    if (idleMs < (inFlight === null ? 2 * SETTLE_MS : SETTLE_MS) || (inFlight ?? 0) > 0) return null;
    return ladder.warm > 0 || (ladder.pausedMs > 0 && ladder.keep > 0) ? { kind: 'freeze', instanceId } : down;
  }
  // A gateway that had not heard sent it a request: it waits in a frozen process.
  if ((inFlight ?? 0) > 0) return { kind: 'resume', instanceId };
  if (ladder.warm > 0) return null;
  return idleMs >= ladder.pausedMs || ladder.keep === 0 ? down : null;
}
