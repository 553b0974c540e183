import type { RuntimeInstance, StartResult } from '../runtime/runtime.ts';
import { RuntimeError } from '../runtime/runtime.ts';
import { traceStart } from '../starts/trace-start.ts';
import { lifetimeUsage } from '../usage/draft.ts';
import { finish, isMinInstance } from './ending.ts';
import type { Execution } from './execution.ts';
import { running } from './launch.ts';
import type { DesiredRevision, InstanceRecord } from './records.ts';
import { instanceEvent, toFrozen, toParked, toPaused, toResumed } from './transitions.ts';
import type { Entry } from './world.ts';

/** What is done to an instance on its way down and up the idle ladder. Each is held by its caller. */

/** Gateways send it nothing new from now on; its processes go on until they have heard. */
export async function pause({ ledger, clock }: Execution, entry: Entry): Promise<void> {
  if (entry.record.state !== 'ready') return;
  entry.health?.abort();
  const record = toPaused(entry.record, clock.now());
  await ledger.write({ update: record, events: [instanceEvent('skyrun.instance.paused.v1', record)] });
  entry.record = record;
}

export async function freeze(execution: Execution, entry: Entry): Promise<void> {
  const { runtime, ledger, clock, signal } = execution;
  if (entry.record.state !== 'paused') return;
  signal.throwIfAborted();
  if (!(await runtime.pause(entry.record.instanceId))) return;
  const now = clock.now();
  markContainer(entry, true);
  const before = entry.record;
  const record = toFrozen(before, now);
  await ledger.write({ update: record, events: lifetimeUsage(before, now, isMinInstance(execution, entry)) });
  entry.record = record;
}

/**
 * The processes go on first and at once; what is written down about it follows, and is waited for. `onRunning` is called
 * in between, for someone who has no time to wait.
 */
export async function resume(execution: Execution, entry: Entry, onRunning?: (record: InstanceRecord) => void) {
  if (entry.record.state !== 'paused') return;
  execution.signal.throwIfAborted();
  // Before the first await: the next plan must count it.
  entry.rising = true;
  try {
    await goOn(execution, entry, onRunning);
  } finally {
    entry.rising = false;
  }
}

async function goOn(
  execution: Execution,
  entry: Entry,
  onRunning: ((record: InstanceRecord) => void) | undefined,
): Promise<void> {
  const { runtime, ledger, clock } = execution;
  const frozen = typeof entry.container === 'string' || entry.container.paused === true;
  const began = clock.monotonic();
  const waiting = execution.waiting(entry.record.revisionId);
  const queueMs = waiting && Math.max(0, Math.round(clock.now() - waiting.since));
  if (frozen && !(await runtime.resume(entry.record.instanceId))) return;
  const now = clock.now();
  const startMs = Math.round(clock.monotonic() - began);
  markContainer(entry, false);
  const before = entry.record;
  const phases = {
    kind: 'resumed',
    ...(queueMs === null ? {} : { queueMs }),
    createMs: 0,
    startMs,
    probeMs: 0,
  } as const;
  const record = toResumed(before, phases, now);
  // Before it is stored: a plan that still saw it paused could freeze it again.
  entry.record = record;
  execution.onReady(record);
  onRunning?.(record);
  execution.metrics.started(phases);
  const { traceparent, traceId } = traceStart(record, phases, { waiting, readyAt: now });
  entry.startTrace = traceparent === undefined ? null : { traceparent, readyAt: now };
  const usage = before.frozenAt === null ? [] : lifetimeUsage(before, now, isMinInstance(execution, entry));
  const events = [...usage, instanceEvent('skyrun.instance.resumed.v1', record, traceparent)];
  await ledger.write({ update: record, start: { phases, at: now, traceId }, events });
}

/** Stops the container and keeps it; what it used until then is accounted for. */
export async function park(execution: Execution, entry: Entry): Promise<void> {
  const { runtime, ledger, clock, signal } = execution;
  const before = entry.record;
  if (before.state !== 'paused') return;
  signal.throwIfAborted();
  const graceMs = before.terminationGraceSeconds * 1000;
  const container = await runtime.stop(before.instanceId, { graceMs, remove: false });
  if (!container) {
    await finish(execution, entry, { state: 'stopped', reason: 'Idle' }, null);
    return;
  }
  const now = clock.now();
  const until = Math.min(container.finishedAt ?? now, now);
  const record = toParked(before, now);
  const usage = lifetimeUsage(before, until, isMinInstance(execution, entry));
  await ledger.write({ update: record, events: [...usage, instanceEvent('skyrun.instance.parked.v1', record)] });
  entry.record = record;
  entry.container = container;
}

/** Starts a parked instance's container again; from there on it is like one that was just made. */
export async function wake(execution: Execution, entry: Entry): Promise<void> {
  const desired = execution.world.desired?.get(entry.record.revisionId);
  if (entry.record.state !== 'parked' || !desired) return;
  execution.signal.throwIfAborted();
  entry.rising = true;
  try {
    await startAgain(execution, entry, desired);
  } finally {
    entry.rising = false;
  }
}

async function startAgain(execution: Execution, entry: Entry, desired: DesiredRevision): Promise<void> {
  const { runtime, clock } = execution;
  let result: StartResult | null;
  try {
    result = await runtime.restart(entry.record.instanceId);
  } catch (error) {
    // A container that does not start again is of no use; a new one is made in its place.
    if (!(error instanceof RuntimeError) || error.code === 'unavailable') throw error;
    await finish(execution, entry, { state: 'stopped', reason: 'Superseded' }, null);
    return;
  }
  if (!result) return;
  entry.container = result.instance;
  if (result.instance.state !== 'running') return;
  entry.seenRunningAt = clock.now();
  await running(execution, entry, desired, { ...result, kind: 'restarted' });
}

function markContainer(entry: Entry, paused: boolean): void {
  if (typeof entry.container === 'string') return;
  const { paused: _, ...rest } = entry.container;
  const seen: RuntimeInstance = paused ? { ...rest, paused } : rest;
  entry.container = seen;
}
