import type { EventDraft, EventType, StartPhases } from '@skyrun/contracts';
import type { RuntimeInstance } from '../runtime/runtime.ts';
import { type InstanceRecord, type RevisionVerdict, toInstance } from './records.ts';

/**
 *   starting ──probe──► ready ──► draining ──► stopped
 *      ▲  │              ▲ │ ▲          │
 *      │  │    readiness │ ▼ └ resumed ┐│
 *      │  │           unready        paused (marked, and frozen once gateways have heard) ──► stopped
 *      │  │                            ▼│
 *      └──┼──────── wanted ──────── parked ──► stopped
 *         └──────────────► failed ◄─────┴ (ended by itself; a draining one that does counts as stopped)
 *
 * Each transition answers the next record; what happened to the world outside is in its arguments.
 */

type InstanceEvent = Extract<EventType, `skyrun.instance.${string}`>;

export function instanceEvent(
  type: InstanceEvent,
  record: InstanceRecord,
  traceparent?: string,
): EventDraft<InstanceEvent> {
  const { instanceId, project } = record;
  const trace = traceparent === undefined ? {} : { traceparent };
  return { type, subject: `instances/${instanceId}`, project, data: toInstance(record), ...trace };
}

export function toStarted(record: InstanceRecord, container: RuntimeInstance, now: number): InstanceRecord {
  const startedAt = container.startedAt ?? now;
  const port = container.port ?? record.port;
  const usageUntil = record.usageUntil ?? startedAt;
  const started = { ...record, address: container.address ?? null, port, startedAt, usageUntil };
  if (record.state !== 'parked') return started;
  return { ...started, state: 'starting', stateVersion: record.stateVersion + 1, idleSince: null, readyAt: null };
}

export function toReady(record: InstanceRecord, startPhases: StartPhases | null, now: number): InstanceRecord {
  return { ...record, state: 'ready', stateVersion: record.stateVersion + 1, readyAt: now, startPhases };
}

export function toDraining(record: InstanceRecord, reason: string, now: number): InstanceRecord {
  return { ...record, state: 'draining', stateVersion: record.stateVersion + 1, drainingAt: now, reason };
}

/** Its readiness probe fails, or succeeds again. */
export function toReadiness(record: InstanceRecord, well: boolean): InstanceRecord {
  const reason = well ? null : 'ReadinessProbeFailed';
  return { ...record, state: well ? 'ready' : 'unready', stateVersion: record.stateVersion + 1, reason };
}

/** Gateways are told to send nothing; it is frozen when nothing is under way. */
export function toPaused(record: InstanceRecord, now: number): InstanceRecord {
  return { ...record, state: 'paused', stateVersion: record.stateVersion + 1, idleSince: now };
}

/** Usage up to here is that of a running instance, from here that of a paused one. */
export function toFrozen(record: InstanceRecord, now: number): InstanceRecord {
  return { ...record, frozenAt: now, usageUntil: laterOf(record.usageUntil, now) };
}

export function toResumed(record: InstanceRecord, startPhases: StartPhases, now: number): InstanceRecord {
  const usageUntil = record.frozenAt === null ? record.usageUntil : laterOf(record.usageUntil, now);
  const stateVersion = record.stateVersion + 1;
  return { ...record, state: 'ready', stateVersion, idleSince: null, frozenAt: null, usageUntil, startPhases };
}

/** Its container is stopped and kept: from here on it uses nothing until it is started again. */
export function toParked(record: InstanceRecord, now: number): InstanceRecord {
  const stateVersion = record.stateVersion + 1;
  const nothing = { address: null, startedAt: null, usageUntil: null, frozenAt: null };
  return { ...record, ...nothing, state: 'parked', stateVersion, idleSince: now };
}

function laterOf(usageUntil: number | null, now: number): number | null {
  return usageUntil === null ? null : Math.max(usageUntil, now);
}

export interface End {
  readonly state: 'stopped' | 'failed';
  readonly reason: string;
  readonly exitCode: number | null;
  /** When its process ended, as the engine says; null when nobody knows. */
  readonly finishedAt: number | null;
}

export function toEnded(record: InstanceRecord, end: End, now: number): InstanceRecord {
  return {
    ...record,
    state: end.state,
    stateVersion: record.stateVersion + 1,
    reason: end.reason,
    exitCode: end.exitCode,
    endedAt: Math.max(record.createdAt, end.finishedAt ?? now),
  };
}

/** Why an instance that nobody stopped is over. */
export function endReason(container: RuntimeInstance | null): string {
  if (container?.state !== 'exited') return 'ContainerLost';
  if (container.oomKilled) return 'OOMKilled';
  return `ExitedWith${container.exitCode ?? 0}`;
}

export function unproven(revisionId: string): RevisionVerdict {
  return { revisionId, state: 'pending', reason: null, message: null, failures: 0, failedAt: 0, retryAt: 0 };
}

const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 300_000;
/** A revision that never answered and failed so often is given up. */
const ATTEMPTS_TO_PROVE = 3;
/** An instance that served for so long was well; its end is not another failure in a row. */
export const WELL_AFTER_MS = 60_000;
/** A revision that once answered and fails so often in a row is in a crash loop. */
const CRASH_LOOP_FAILURES = 3;
export const CRASH_LOOP = 'CrashLoopBackOff';

/** It is well again: an instance has served for long enough since the last failure. */
export function verdictAfterWell(verdict: RevisionVerdict): RevisionVerdict {
  return { ...verdict, reason: null, message: null, failures: 0, failedAt: 0, retryAt: 0 };
}

export function verdictAfterReady(verdict: RevisionVerdict): RevisionVerdict {
  const looping = verdict.reason === CRASH_LOOP;
  return { ...verdict, state: 'ready', ...(looping ? {} : { reason: null, message: null }) };
}

/** What another failed instance means for its revision: when to try again, or that it is not worth it. */
export function verdictAfterFailure(
  verdict: RevisionVerdict,
  record: InstanceRecord,
  { reason, message }: { readonly reason: string; readonly message: string },
  now: number,
): RevisionVerdict {
  // Failed along with one that was counted, as when the engine went away: no further evidence.
  if (record.createdAt < verdict.failedAt) return { ...verdict, reason, message };
  const served = record.readyAt === null ? 0 : (record.endedAt ?? now) - record.readyAt;
  const failures = served >= WELL_AFTER_MS ? 1 : verdict.failures + 1;
  const delay = Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** Math.min(failures - 1, 20));
  // The first end of an instance that had been ready is most likely not the revision's fault: replace it at once.
  const retryAt = failures === 1 && record.readyAt !== null ? 0 : now + delay;
  const unproved = verdict.state === 'pending' && (failures >= ATTEMPTS_TO_PROVE || reason === 'ProbeTimeout');
  const state = unproved ? 'failed' : verdict.state;
  const counted = { ...verdict, state, failures, failedAt: now, retryAt };
  if (state !== 'ready' || failures < CRASH_LOOP_FAILURES) return { ...counted, reason, message };
  const wait = `${failures} instances ended one after the other; the next is started after ${Math.round(delay / 1000)} s.`;
  return { ...counted, reason: CRASH_LOOP, message: `${wait} ${message}` };
}

/** In words for the one who deployed it, with what the container said last. */
export function failureMessage(
  record: InstanceRecord,
  reason: string,
  detail: string | null,
  lines: readonly string[],
): string {
  const last = lines.slice(-10).map((text) => text.slice(0, 300));
  const said = last.length === 0 ? 'It logged nothing.' : `Its last log lines:\n${last.join('\n')}`;
  return `${whatHappened(record, reason, detail)} ${said}`;
}

function whatHappened(record: InstanceRecord, reason: string, detail: string | null): string {
  const before = record.readyAt === null ? ` before it answered on port ${record.port}` : '';
  if (detail !== null) return `The container could not be started: ${detail}.`;
  if (reason === 'OOMKilled') return `The container used more than its ${record.memoryMib} MiB of memory${before}.`;
  if (reason === 'ProbeTimeout') {
    return `The container ran but did not answer on port ${record.port}, the port in its variable PORT, in time.`;
  }
  if (reason === 'LivenessProbeFailed') return 'The container ran, but its liveness probe failed.';
  if (reason.startsWith('ExitedWith')) return `The container exited with code ${record.exitCode ?? '?'}${before}.`;
  return `The container was lost${before}.`;
}
