import { newId } from '@skyrun/kit';
import { finish } from './ending.ts';
import type { Execution } from './execution.ts';
import { PAUSE_MS, settle, withEntry } from './holds.ts';
import { freeze, park, pause, resume, wake } from './idle.ts';
import { beginProbe, launch, markStarted } from './launch.ts';
import { adoptedRecord, newRecord } from './records.ts';
import type { Step, StepKind, StepOf } from './steps.ts';
import { endReason, instanceEvent, toDraining } from './transitions.ts';
import { beginWatch } from './watch-health.ts';

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
      beginProbe(execution, entry, { desired, began, started, waiting: null, phases: null });
      await started;
    });
  },

  async watch(execution, { instanceId }) {
    await withEntry(execution, instanceId, async (entry) => beginWatch(execution, entry));
  },

  pause: (execution, { instanceId }) => withEntry(execution, instanceId, (entry) => pause(execution, entry)),
  freeze: (execution, { instanceId }) => withEntry(execution, instanceId, (entry) => freeze(execution, entry)),
  resume: (execution, { instanceId }) => withEntry(execution, instanceId, (entry) => resume(execution, entry)),
  park: (execution, { instanceId }) => withEntry(execution, instanceId, (entry) => park(execution, entry)),
  wake: (execution, { instanceId }) => withEntry(execution, instanceId, (entry) => wake(execution, entry)),

  async drain(execution, { instanceId, reason }) {
    await withEntry(execution, instanceId, async (entry) => {
      entry.health?.abort();
      const record = toDraining(entry.record, reason, execution.clock.now());
      await execution.ledger.write({ update: record, events: [instanceEvent('skyrun.instance.draining.v1', record)] });
      entry.record = record;
    });
  },

  async stop(execution, { instanceId, reason }) {
    await withEntry(execution, instanceId, async (entry) => {
      entry.probe?.abort();
      entry.health?.abort();
      const graceMs = entry.record.terminationGraceSeconds * 1000;
      execution.signal.throwIfAborted();
      const stoppingSince = execution.clock.now();
      const container = await execution.runtime.stop(instanceId, { graceMs, remove: false });
      await finish(execution, entry, { state: 'stopped', reason, stoppingSince }, container);
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
        state === 'draining' ||
        state === 'parked' ||
        // A frozen process ends by nobody's hand but ours: a leader was stopping it and did not come to write it down.
        (state === 'paused' && entry.record.frozenAt !== null) ||
        container?.state === 'created' ||
        (!container && entry.record.startedAt === null);
      if (meant) {
        const why = reason ?? (state === 'paused' ? 'Idle' : 'Superseded');
        await finish(execution, entry, { state: 'stopped', reason: why }, container);
      } else await finish(execution, entry, { state: 'failed', reason: endReason(container) }, container);
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
  // Before it is done: afterwards the instance may be forgotten.
  const revisionId = revisionOf(execution, step);
  try {
    await executor(execution, step);
    metrics.step(step.kind, clock.monotonic() - began, true);
  } catch (error) {
    metrics.step(step.kind, clock.monotonic() - began, false);
    if (!signal.aborted) logger.warn({ error, step }, 'a step failed; it will be planned again');
  }
  if (revisionId !== undefined) execution.wake(revisionId);
}

function revisionOf({ world }: Execution, step: Step): string | undefined {
  if (step.kind === 'create') return step.revisionId;
  const { entries, strays } = world;
  return (entries.get(step.instanceId)?.record ?? strays.get(step.instanceId)?.identity)?.revisionId;
}

/** PostgreSQL's unique violation. */
function isDuplicate(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}
