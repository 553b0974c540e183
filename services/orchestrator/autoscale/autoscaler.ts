import type { Decision } from '@skyrun/contracts';
import { type Clock, isoTime, type Logger } from '@skyrun/kit';
import type { DesiredRevision } from '../reconcile/records.ts';
import type { InstanceCounts, World } from '../reconcile/world.ts';
import type { Ledger } from '../store/ledger.ts';
import type { TrafficIntake } from '../traffic/intake.ts';
import { CALM, decide, type ScaleMemory } from './decide.ts';
import { policyOf } from './policy.ts';

export interface AutoscalerOptions {
  readonly world: World;
  readonly intake: TrafficIntake;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Instances that were there before this leader: their revisions are measured a while before any goes. */
  readonly adopted: ReadonlySet<string>;
  background(task: Promise<void>): void;
}

export interface Autoscaler {
  /** Judges every revision; true when a want changed. */
  evaluate(): boolean;
  /** Judges one revision now, because a request waits for it. */
  activate(revisionId: string): boolean;
  /** Wants at least one instance of a revision, because a request waits that no report has told of yet. */
  wakeUp(revisionId: string): void;
}

/** Most that is measured again after a restart before anything is taken away. */
const LONGEST_SETTLE_MS = 60_000;

interface Want {
  readonly wanted: number;
  readonly sentence: string;
  readonly inputs: Decision['inputs'];
}

export function createAutoscaler(options: AutoscalerOptions): Autoscaler {
  const { world, intake, ledger, clock, logger, adopted } = options;
  const began = clock.now();
  const memories = new Map<string, ScaleMemory>();

  function judge(desired: DesiredRevision, now: number, waits = false): boolean {
    const { revision, want } = desired;
    const counts = world.counts(revision.id);
    const from = world.wanted.get(revision.id) ?? counts.ready + counts.starting;
    const verdict = want === 'serving' ? serve(desired, counts, from, now, waits) : stand(desired, from);
    const known = world.wanted.has(revision.id);
    world.wanted.set(revision.id, verdict.wanted);
    if (verdict.wanted === from) return !known;
    record(desired, from, verdict, now);
    return true;
  }

  function serve(
    { revision }: DesiredRevision,
    counts: InstanceCounts,
    from: number,
    now: number,
    waits: boolean,
  ): Want {
    const policy = policyOf(revision.template);
    const current = intake.current(revision.id, now);
    const waiting = counts.ready + counts.starting === 0 && (waits || current > 0);
    const settleMs = Math.min(policy.stableWindowMs, LONGEST_SETTLE_MS);
    const verdict = decide(
      policy,
      {
        stable: intake.average(revision.id, now, policy.stableWindowMs),
        panic: intake.average(revision.id, now, policy.panicWindowMs),
        ready: counts.ready,
        wanted: from,
        waiting,
        // A request that goes on is a sign of life in every moment, not only in that of the last report.
        lastActiveAt: current > 0 ? now : intake.lastActiveAt(revision.id),
        settled: !adopted.has(revision.id) || now - began >= settleMs,
        memory: memories.get(revision.id) ?? CALM,
      },
      now,
    );
    memories.set(revision.id, verdict.memory);
    return verdict;
  }

  /** A newest revision proves itself with one instance, or with as many as it will always have; a retired one has none. */
  function stand({ revision, want }: DesiredRevision, from: number): Want {
    const { minScale } = revision.template.scaling;
    const wanted = want === 'starting' ? Math.max(1, minScale) : 0;
    const why = want === 'starting' ? 'a new revision proves itself' : 'the revision is retired';
    return { wanted, sentence: `${from} → ${wanted}: ${why}`, inputs: { want, minScale } };
  }

  function record({ revision }: DesiredRevision, from: number, verdict: Want, now: number): void {
    const { project, service, serviceId, id: revisionId, name: revisionName } = revision;
    const decision: Decision = {
      at: isoTime(now),
      revisionId,
      revisionName,
      from,
      to: verdict.wanted,
      sentence: verdict.sentence,
      inputs: { ...verdict.inputs },
    };
    logger.info({ revision: revisionName, from, to: decision.to }, decision.sentence);
    options.background(
      ledger
        .write({
          decision: { project, service, decision },
          events: [
            {
              type: 'skyrun.scaling.decided.v1',
              subject: `revisions/${revisionId}`,
              project,
              data: { project, service, serviceId, revisionId, revisionName, decision },
            },
          ],
        })
        // The want holds all the same: what it leads to is written down with each instance.
        .catch((error: unknown) => logger.warn({ error, revision: revisionName }, 'a decision could not be stored')),
    );
  }

  return {
    evaluate() {
      const now = clock.now();
      let changed = false;
      for (const desired of world.desired?.values() ?? []) changed = judge(desired, now) || changed;
      const keep = new Set(world.desired?.keys() ?? []);
      for (const revisionId of world.wanted.keys()) {
        if (keep.has(revisionId)) continue;
        world.wanted.delete(revisionId);
        memories.delete(revisionId);
      }
      return changed;
    },
    activate(revisionId) {
      const desired = world.desired?.get(revisionId);
      return desired?.want === 'serving' && judge(desired, clock.now());
    },
    wakeUp(revisionId) {
      const desired = world.desired?.get(revisionId);
      if (desired?.want === 'serving') judge(desired, clock.now(), true);
    },
  };
}
