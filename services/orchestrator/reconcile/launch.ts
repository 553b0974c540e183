import type { StartKind, StartPhases } from '@skyrun/contracts';
import { awaitStartup } from '../probes/startup.ts';
import { RuntimeError, type RuntimeProblem, type StartResult } from '../runtime/runtime.ts';
import { traceStart, type WaitingRequest } from '../starts/trace-start.ts';
import { finish } from './ending.ts';
import type { Execution } from './execution.ts';
import { settle } from './holds.ts';
import { type DesiredRevision, instanceSpec } from './records.ts';
import { revisionEvent } from './revision-events.ts';
import { instanceEvent, toReady, toStarted, verdictAfterReady } from './transitions.ts';
import type { Entry } from './world.ts';

const START_FAILURES: Partial<Record<RuntimeProblem, string>> = {
  image_missing: 'ImageMissing',
  cannot_start: 'CannotStart',
  no_capacity: 'NoCapacity',
};

/** Makes an instance's container and runs it; its probe goes on in the background. */
export async function launch(execution: Execution, entry: Entry, desired: DesiredRevision): Promise<void> {
  const { runtime, clock, signal } = execution;
  signal.throwIfAborted();
  let result: StartResult;
  try {
    result = await runtime.start(instanceSpec(desired, entry.record));
  } catch (error) {
    const reason = error instanceof RuntimeError ? START_FAILURES[error.code] : undefined;
    if (!(error instanceof RuntimeError) || reason === undefined) {
      // How far it came nobody knows, and no event need tell: the next plan starts it again, and finds what is there.
      if (entry.container === 'unseen') entry.container = 'absent';
      throw error;
    }
    await finish(execution, entry, { state: 'failed', reason, detail: error.message }, null);
    return;
  }
  entry.container = result.instance;
  if (result.instance.state !== 'running') return;
  entry.seenRunningAt = clock.now();
  await running(execution, entry, desired, { ...result, kind: 'created' });
}

/** The container runs now: probes it and writes it down, at the same time: a cold start has no time for the one before the other. */
export async function running(
  execution: Execution,
  entry: Entry,
  desired: DesiredRevision,
  { createMs, startMs, kind }: Pick<StartResult, 'createMs' | 'startMs'> & { readonly kind: StartKind },
): Promise<void> {
  const { clock, logger } = execution;
  const { instanceId, revisionName } = entry.record;
  logger.info({ instance: instanceId, revision: revisionName, createMs, startMs }, 'container started');
  const began = clock.monotonic();
  const waiting = execution.waiting(entry.record.revisionId);
  const startedWork = clock.now() - createMs - startMs;
  const queueMs = waiting === null ? {} : { queueMs: Math.max(0, startedWork - waiting.since) };
  const started = markStarted(execution, entry);
  beginProbe(execution, entry, { desired, began, started, waiting, phases: { kind, ...queueMs, createMs, startMs } });
  await started;
}

export async function markStarted({ ledger, clock }: Execution, entry: Entry): Promise<void> {
  const { container } = entry;
  if (container === 'absent' || container === 'unseen') return;
  const record = toStarted(entry.record, container, clock.now());
  await ledger.write({ update: record, events: [instanceEvent('skyrun.instance.started.v1', record)] });
  entry.record = record;
}

interface Probing {
  readonly desired: DesiredRevision;
  readonly began: number;
  readonly started: Promise<void>;
  /** Null where the start was not ours to measure. */
  readonly phases: Omit<StartPhases, 'probeMs'> | null;
  readonly waiting: WaitingRequest | null;
}

export function beginProbe(execution: Execution, entry: Entry, probing: Probing): void {
  const { clock, ask, signal, logger } = execution;
  const { instanceId } = entry.record;
  const { container } = entry;
  const address = typeof container === 'string' ? undefined : container.address;
  if (address === undefined || entry.probe) return;
  const probe = new AbortController();
  entry.probe = probe;
  const { template } = probing.desired.revision;
  const over = AbortSignal.any([signal, probe.signal]);
  const task = async () => {
    const well = await awaitStartup({ instanceId, address, template, ask, clock, signal: over });
    await probing.started;
    over.throwIfAborted();
    await settle(execution, entry, () => (well ? markReady(execution, entry, probing) : giveUp(execution, entry)));
  };
  execution.background(
    task()
      .catch((error: unknown) => {
        if (!over.aborted) logger.warn({ error, instance: instanceId }, 'a probe broke off');
      })
      .finally(() => {
        entry.probe = null;
        execution.wake(entry.record.revisionId);
      }),
  );
}

async function markReady(execution: Execution, entry: Entry, { began, phases, waiting }: Probing): Promise<void> {
  const { ledger, clock, world, logger } = execution;
  if (entry.record.state !== 'starting') return;
  const probeMs = Math.round(clock.monotonic() - began);
  const measured: StartPhases | null = phases && {
    kind: phases.kind,
    ...(phases.queueMs === undefined ? {} : { queueMs: Math.round(phases.queueMs) }),
    createMs: Math.round(phases.createMs),
    startMs: Math.round(phases.startMs),
    probeMs,
  };
  const readyAt = clock.now();
  const record = toReady(entry.record, measured, readyAt);
  const traced = measured && traceStart(record, measured, { waiting, readyAt });
  const traceparent = traced?.traceparent;
  entry.startTrace = traceparent === undefined ? null : { traceparent, readyAt };
  const verdict = world.verdict(record.revisionId);
  const first = verdict.state !== 'ready';
  await ledger.write({
    update: record,
    ...(measured ? { start: { phases: measured, at: readyAt, traceId: traced?.traceId } } : {}),
    ...(first ? { verdict: verdictAfterReady(verdict) } : {}),
    events: [
      instanceEvent('skyrun.instance.ready.v1', record, traceparent),
      ...(first ? [revisionEvent('skyrun.revision.ready.v1', record)] : []),
    ],
  });
  entry.record = record;
  if (first) world.setVerdict(verdictAfterReady(verdict));
  if (measured) execution.metrics.started(measured);
  execution.onReady(record);
  logger.info({ instance: record.instanceId, revision: record.revisionName, ...measured }, 'instance ready');
}

async function giveUp(execution: Execution, entry: Entry): Promise<void> {
  const graceMs = entry.record.terminationGraceSeconds * 1000;
  const container = await execution.runtime.stop(entry.record.instanceId, { graceMs, remove: false });
  await finish(execution, entry, { state: 'failed', reason: 'ProbeTimeout' }, container);
}
