import { type Clock, newId } from '@skyrun/kit';
import { Agenda } from '../reconcile/agenda.ts';
import { newRecord } from '../reconcile/records.ts';
import type { Step } from '../reconcile/steps.ts';
import { toDraining, toFrozen, toParked, toPaused, toReady, toResumed, toStarted } from '../reconcile/transitions.ts';
import type { Entry, World } from '../reconcile/world.ts';
import type { RuntimeInstance } from '../runtime/runtime.ts';

/** How long things take, in milliseconds. */
export interface EngineTimes {
  /** From nothing until it answers. */
  readonly createMs: number;
  /** From a stopped container until it answers. */
  readonly restartMs: number;
  readonly stopMs: number;
}

export interface EngineCounts {
  created: number;
  restarted: number;
  resumed: number;
  stopped: number;
}

export interface SimulatedEngine {
  readonly counts: Readonly<EngineCounts>;
  /** Begins a step; what takes time is done later. */
  execute(step: Step): void;
  /** Does what is due. */
  advance(now: number): void;
}

export interface EngineOptions {
  readonly world: World;
  readonly clock: Clock;
  readonly times: EngineTimes;
  /** An instance of the revision became ready. */
  onReady(revisionId: string): void;
  onChange(revisionId: string): void;
}

/**
 * What the steps of a plan lead to, on a simulated clock: the same transitions of the same records as in the product, with
 * times in place of an engine.
 */
export function createSimulatedEngine({ world, clock, times, onReady, onChange }: EngineOptions): SimulatedEngine {
  const agenda = new Agenda();
  const pending = new Map<string, () => void>();
  const counts: EngineCounts = { created: 0, restarted: 0, resumed: 0, stopped: 0 };

  /** Nothing else is done with it meanwhile. */
  function later(entry: Entry, ms: number, effect: () => void): void {
    const { instanceId } = entry.record;
    entry.holds += 1;
    pending.set(instanceId, () => {
      entry.holds -= 1;
      effect();
      onChange(entry.record.revisionId);
    });
    agenda.at(instanceId, clock.now() + ms);
  }

  function entryOf(instanceId: string): Entry {
    const entry = world.entries.get(instanceId);
    if (!entry) throw new Error(`a step for ${instanceId}, which is over`);
    return entry;
  }

  const running = ({ record }: Entry): RuntimeInstance => ({
    identity: record,
    state: 'running',
    address: '10.0.0.1',
    startedAt: clock.now(),
  });

  function become(entry: Entry, ms: number): void {
    later(entry, ms, () => {
      const container = running(entry);
      entry.container = container;
      const now = clock.now();
      const started = toStarted(entry.record, container, now);
      entry.record = toReady(started, { createMs: 0, startMs: ms, probeMs: 0 }, now);
      onReady(entry.record.revisionId);
    });
  }

  function execute(step: Step): void {
    const now = clock.now();
    switch (step.kind) {
      case 'create': {
        const desired = world.desired?.get(step.revisionId);
        if (!desired) throw new Error(`an instance of ${step.revisionId}, which nobody wants`);
        counts.created += 1;
        const record = newRecord(desired, { instanceId: newId('instance', clock), node: 'simulated', now });
        become(world.add(record), times.createMs);
        return;
      }
      case 'drain': {
        const entry = entryOf(step.instanceId);
        entry.record = toDraining(entry.record, step.reason, now);
        return;
      }
      case 'stop':
      case 'end':
        later(entryOf(step.instanceId), times.stopMs, () => {
          counts.stopped += 1;
          world.remove(step.instanceId);
        });
        return;
      case 'pause': {
        const entry = entryOf(step.instanceId);
        entry.record = toPaused(entry.record, now);
        return;
      }
      case 'freeze': {
        const entry = entryOf(step.instanceId);
        entry.container = { ...running(entry), paused: true };
        entry.record = toFrozen(entry.record, now);
        return;
      }
      case 'resume': {
        const entry = entryOf(step.instanceId);
        counts.resumed += 1;
        entry.container = running(entry);
        entry.record = toResumed(entry.record, { createMs: 0, startMs: 0, probeMs: 0 }, now);
        onReady(entry.record.revisionId);
        return;
      }
      case 'park': {
        const entry = entryOf(step.instanceId);
        later(entry, times.stopMs, () => {
          entry.container = { identity: entry.record, state: 'exited', exitCode: 0, finishedAt: clock.now() };
          entry.record = toParked(entry.record, clock.now());
        });
        return;
      }
      case 'wake': {
        const entry = entryOf(step.instanceId);
        counts.restarted += 1;
        entry.rising = true;
        become(entry, times.restartMs);
        entry.rising = false;
        return;
      }
      default:
        throw new Error(`nothing in a simulation leads to the step ${step.kind}`);
    }
  }

  return {
    counts,
    execute(step) {
      const revisionId = step.kind === 'create' ? step.revisionId : entryOf(step.instanceId).record.revisionId;
      execute(step);
      onChange(revisionId);
    },
    advance(now) {
      for (const instanceId of agenda.take(now)) {
        const effect = pending.get(instanceId);
        pending.delete(instanceId);
        effect?.();
      }
    },
  };
}
