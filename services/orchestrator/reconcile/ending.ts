import type { RuntimeInstance } from '../runtime/runtime.ts';
import type { Change } from '../store/ledger.ts';
import { lifetimeUsage } from '../usage/draft.ts';
import { type Execution, lastLines } from './execution.ts';
import { revisionEvent } from './revision-events.ts';
import { type End, failureMessage, instanceEvent, toEnded, verdictAfterFailure } from './transitions.ts';
import type { Entry } from './world.ts';

/** Usage of one transaction; a longer past is written in several. */
const USAGE_BATCH_MS = 3_600_000;

/**
 * Stores what the instance still said, writes its end and its last usage in one transaction, then lets the engine forget the
 * container: killed in between, the container remains as a stray that is discarded.
 */
export async function finish(
  execution: Execution,
  entry: Entry,
  end: Omit<End, 'finishedAt' | 'exitCode'> & { readonly detail?: string; readonly stoppingSince?: number },
  container: RuntimeInstance | null,
): Promise<void> {
  const { world, ledger, clock, runtime, logger, signal } = execution;
  const exited = container?.state === 'exited' ? container : null;
  const finishedAt = exited?.finishedAt ?? (entry.seenRunningAt > 0 ? entry.seenRunningAt : entry.record.usageUntil);
  const lines = end.state === 'failed' ? await lastLines(execution, entry.record) : [];
  if (container) await execution.logs.finish(entry.record);
  await recordPast(execution, entry, finishedAt);
  const before = entry.record;
  const ended = toEnded(before, { ...end, exitCode: exited?.exitCode ?? null, finishedAt }, clock.now());
  const usageUntil =
    finishedAt === null || before.usageUntil === null ? before.usageUntil : Math.max(before.usageUntil, finishedAt);
  const record = { ...ended, usageUntil };
  const change: Change = {
    update: record,
    events: [
      ...lifetimeUsage(before, usageUntil ?? 0, isMinInstance(execution, entry), end.stoppingSince ?? null),
      instanceEvent(end.state === 'failed' ? 'skyrun.instance.failed.v1' : 'skyrun.instance.stopped.v1', record),
    ],
  };
  // A container that someone took away says nothing about its revision.
  if (end.state === 'failed' && end.reason !== 'ContainerLost') {
    const message = failureMessage(record, end.reason, end.detail ?? null, lines);
    const verdict = verdictAfterFailure(
      world.verdict(record.revisionId),
      record,
      { reason: end.reason, message },
      clock.now(),
    );
    const given = verdict.state === 'failed' && world.verdict(record.revisionId).state !== 'failed';
    const events = given ? [revisionEvent('skyrun.revision.failed.v1', record, { reason: end.reason, message })] : [];
    await ledger.write({ ...change, verdict, events: [...(change.events ?? []), ...events] });
    world.setVerdict(verdict);
    logger.warn({ instance: record.instanceId, revision: record.revisionName, reason: end.reason }, 'instance failed');
  } else {
    await ledger.write(change);
    logger.info({ instance: record.instanceId, revision: record.revisionName, reason: end.reason }, 'instance stopped');
  }
  world.remove(record.instanceId);
  signal.throwIfAborted();
  await runtime.stop(record.instanceId, { graceMs: 0, remove: true });
}

/** Usage of hours without an orchestrator, in transactions of a bearable size, all but the last. */
async function recordPast(execution: Execution, entry: Entry, until: number | null): Promise<void> {
  const { ledger } = execution;
  for (;;) {
    const { record } = entry;
    if (until === null || record.usageUntil === null || until - record.usageUntil <= USAGE_BATCH_MS) return;
    const usageUntil = record.usageUntil + USAGE_BATCH_MS;
    const update = { ...record, usageUntil };
    await ledger.write({ update, events: lifetimeUsage(record, usageUntil, isMinInstance(execution, entry)) });
    entry.record = update;
  }
}

/** Whether it is one of those that `minScale` keeps: the oldest of its revision. */
export function isMinInstance({ world }: Pick<Execution, 'world'>, { record }: Entry): boolean {
  const minScale = world.desired?.get(record.revisionId)?.revision.template.scaling.minScale ?? 0;
  if (minScale === 0) return false;
  let older = 0;
  for (const { record: other } of world.of(record.revisionId)) {
    const tie = other.createdAt === record.createdAt && other.instanceId < record.instanceId;
    if (other.createdAt < record.createdAt || tie) older += 1;
  }
  return older < minScale;
}
