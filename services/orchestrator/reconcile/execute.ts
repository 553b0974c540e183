import { newId } from '@skyrun/kit';
import { awaitStartup } from '../probes/startup.ts';
import { RuntimeError, type RuntimeProblem, type StartResult } from '../runtime/runtime.ts';
import { finish } from './ending.ts';
import type { Execution } from './execution.ts';
import { adoptedRecord, type DesiredRevision, instanceSpec, newRecord, type StartPhases } from './records.ts';
import { revisionEvent } from './revision-events.ts';
import type { StepKind, StepOf } from './steps.ts';
import { endReason, instanceEvent, toDraining, toReady, toStarted, verdictAfterReady } from './transitions.ts';
import type { Entry } from './world.ts';

/** After a step that failed for reasons outside of it: the engine or the database was away. */
const PAUSE_MS = 500;

type Executor<Kind extends StepKind> = (execution: Execution, step: StepOf<Kind>) => Promise<void>;

/** Total over the vocabulary: a new word does not compile until it can be executed. Each may run twice. */
const EXECUTORS: { readonly [Kind in StepKind]: Executor<Kind> } = {
  async create(execution, { revisionId }) {
    const { world, clock, node, ledger } = execution;
    const desired = world.desired?.get(revisionId);
    if (!desired) return;
    const record = newRecord(desired, { instanceId: newId('instance', clock), node, now: clock.now() });
    // Before the first await: the next plan must count it.
    const entry = world.add(record, { holds: 1 });
    try {
      await ledger.write({ insert: record });
    } catch (error) {
      world.remove(record.instanceId);
      world.pauseCreates(revisionId, clock.now() + PAUSE_MS);
      throw error;
    }
    try {
      await settle(execution, entry, () => launch(execution, entry, desired));
    } finally {
      entry.holds -= 1;
    }
  },

  async start(execution, { instanceId }) {
    await withEntry(execution, instanceId, async (entry) => {
      const desired = execution.world.desired?.get(entry.record.revisionId);
      if (desired) await launch(execution, entry, desired);
    });
  },

  async probe(execution, { instanceId }) {
    await withEntry(execution, instanceId, async (entry) => {
      const { container } = entry;
      if (container === 'absent' || container === 'unseen' || container.state !== 'running') return;
      const desired = execution.world.desired?.get(entry.record.revisionId);
      if (!desired) return;
      const began = execution.clock.monotonic();
      const started = entry.record.startedAt === null ? markStarted(execution, entry) : Promise.resolve();
      beginProbe(execution, entry, { desired, began, started, phases: null });
      await started;
    });
  },

  async drain(execution, { instanceId, reason }) {
    await withEntry(execution, instanceId, async (entry) => {
      const record = toDraining(entry.record, reason, execution.clock.now());
      await execution.ledger.write({ update: record, events: [instanceEvent('skyrun.instance.draining.v1', record)] });
      entry.record = record;
    });
  },

  async stop(execution, { instanceId, reason }) {
    await withEntry(execution, instanceId, async (entry) => {
      entry.probe?.abort();
      const graceMs = entry.record.terminationGraceSeconds * 1000;
      execution.signal.throwIfAborted();
      const container = await execution.runtime.stop(instanceId, { graceMs, remove: false });
      await finish(execution, entry, { state: 'stopped', reason }, container);
    });
  },

  async end(execution, { instanceId }) {
    await withEntry(execution, instanceId, async (entry) => {
      const { runtime, world, clock } = execution;
      // What was seen may be older than what was done since; an end is for ever, so look again.
      const at = clock.now();
      const found = await runtime.list(instanceId);
      const [container = null] = found;
      if (container?.state === 'running') {
        world.observe(found, instanceId, at);
        return;
      }
      const { state, reason } = entry.record;
      const meant =
        state === 'draining' || container?.state === 'created' || (!container && entry.record.startedAt === null);
      if (meant) await finish(execution, entry, { state: 'stopped', reason: reason ?? 'Superseded' }, container);
      else await finish(execution, entry, { state: 'failed', reason: endReason(container) }, container);
    });
  },

  async adopt(execution, { instanceId }) {
    const { world, ledger, node, logger } = execution;
    const found = world.strays.get(instanceId);
    if (!found) return;
    world.strays.delete(instanceId);
    const record = adoptedRecord(found, node);
    const entry = world.add(record, { holds: 1, container: found });
    try {
      await ledger.write({ insert: record });
      logger.info({ instance: instanceId, revision: record.revisionName }, 'adopted a running container');
    } catch (error) {
      world.remove(instanceId);
      if (!isDuplicate(error)) throw error;
      // Its row says that it is over: what runs is what a stop has not reached yet.
      await EXECUTORS.discard(execution, { kind: 'discard', instanceId });
      return;
    }
    entry.holds -= 1;
  },

  async discard({ world, runtime, logger, signal }, { instanceId }) {
    const found = world.strays.get(instanceId);
    world.strays.delete(instanceId);
    signal.throwIfAborted();
    const graceMs = (found?.identity.terminationGraceSeconds ?? 0) * 1000;
    await runtime.stop(instanceId, { graceMs, remove: true });
    logger.info({ instance: instanceId }, 'removed a container that nothing wants');
  },
};

/** Runs one step; resolves when it is done. A step that fails for outside reasons is tried again by a later plan. */
export async function execute<Kind extends StepKind>(execution: Execution, step: StepOf<Kind>): Promise<void> {
  const { logger, signal, clock, metrics } = execution;
  const executor = EXECUTORS[step.kind as Kind];
  const began = clock.monotonic();
  try {
    await executor(execution, step);
    metrics.step(step.kind, clock.monotonic() - began, true);
  } catch (error) {
    metrics.step(step.kind, clock.monotonic() - began, false);
    if (!signal.aborted) logger.warn({ error, step }, 'a step failed; it will be planned again');
  }
  execution.wake();
}

async function withEntry(execution: Execution, instanceId: string, work: (entry: Entry) => Promise<void>) {
  const entry = execution.world.entries.get(instanceId);
  if (!entry || entry.holds > 0) return;
  await settle(execution, entry, () => work(entry));
}

async function settle({ clock }: Execution, entry: Entry, work: () => Promise<void>): Promise<void> {
  entry.holds += 1;
  try {
    await work();
  } catch (error) {
    entry.pausedUntil = clock.now() + PAUSE_MS;
    throw error;
  } finally {
    entry.holds -= 1;
  }
}

const START_FAILURES: Partial<Record<RuntimeProblem, string>> = {
  image_missing: 'ImageMissing',
  cannot_start: 'CannotStart',
  no_capacity: 'NoCapacity',
};

async function launch(execution: Execution, entry: Entry, desired: DesiredRevision): Promise<void> {
  const { runtime, clock, signal, logger } = execution;
  signal.throwIfAborted();
  let result: StartResult;
  try {
    result = await runtime.start(instanceSpec(desired, entry.record));
  } catch (error) {
    const reason = error instanceof RuntimeError ? START_FAILURES[error.code] : undefined;
    if (!(error instanceof RuntimeError) || reason === undefined) throw error;
    await finish(execution, entry, { state: 'failed', reason, detail: error.message }, null);
    return;
  }
  entry.container = result.instance;
  if (result.instance.state !== 'running') return;
  entry.seenRunningAt = clock.now();
  const { createMs, startMs } = result;
  const { instanceId, revisionName } = entry.record;
  logger.info({ instance: instanceId, revision: revisionName, createMs, startMs }, 'container started');
  const began = clock.monotonic();
  // Probing does not wait for the row: a cold start has no time for it.
  const started = markStarted(execution, entry);
  beginProbe(execution, entry, { desired, began, started, phases: { createMs, startMs } });
  await started;
}

async function markStarted({ ledger, clock }: Execution, entry: Entry): Promise<void> {
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
}

function beginProbe(execution: Execution, entry: Entry, probing: Probing): void {
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
        execution.wake();
      }),
  );
}

async function markReady(execution: Execution, entry: Entry, { began, phases }: Probing): Promise<void> {
  const { ledger, clock, world, logger } = execution;
  if (entry.record.state !== 'starting') return;
  const probeMs = Math.round(clock.monotonic() - began);
  const measured = phases && { createMs: Math.round(phases.createMs), startMs: Math.round(phases.startMs), probeMs };
  const record = toReady(entry.record, measured, clock.now());
  const verdict = world.verdict(record.revisionId);
  const first = verdict.state !== 'ready';
  await ledger.write({
    update: record,
    ...(first ? { verdict: verdictAfterReady(verdict) } : {}),
    events: [
      instanceEvent('skyrun.instance.ready.v1', record),
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

/** PostgreSQL's unique violation. */
function isDuplicate(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}
