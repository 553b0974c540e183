import { Agenda } from './agenda.ts';
import type { LadderAbilities } from './ladder.ts';
import { nextLook } from './next-look.ts';
import { plan } from './plan.ts';
import type { DesiredRevision } from './records.ts';
import type { Step } from './steps.ts';
import type { World } from './world.ts';

export interface Planner {
  /** There is news of the revision. */
  changed(revisionId: string): void;
  /** Takes over what should run now; answers the revisions for which that is not what it was. */
  desire(desired: ReadonlyMap<string, DesiredRevision> | null): string[];
  /** What is to be done for those of which there is news and those that are due; nothing before it is known what should run. */
  plan(now: number): Step[];
}

export interface PlannerOptions {
  readonly world: World;
  readonly can: LadderAbilities;
  inFlight(instanceId: string, revisionId: string, now: number): number | null;
}

/** All are looked at so often, in case that some news was missed. */
const LOOK_AT_ALL_MS = 60_000;

/** Plans what changed: a revision at rest costs nothing until there is news of it or its time comes. */
export function createPlanner({ world, can, inFlight }: PlannerOptions): Planner {
  const agenda = new Agenda();
  // What was there before this term is news.
  let allAt = Number.NEGATIVE_INFINITY;

  function due(desired: ReadonlyMap<string, DesiredRevision>, now: number): Set<string> {
    const taken = agenda.take(now);
    if (now < allAt) return taken;
    allAt = now + LOOK_AT_ALL_MS;
    return new Set([...desired.keys(), ...world.revisions()]);
  }

  return {
    changed: (revisionId) => agenda.mark(revisionId),
    desire(desired) {
      const changed = differences(world.desired, desired);
      world.desired = desired;
      for (const revisionId of changed) agenda.mark(revisionId);
      return changed;
    },
    plan(now) {
      const { desired } = world;
      if (!desired) return [];
      const revisions = due(desired, now);
      if (revisions.size === 0 && world.strays.size === 0) return [];
      const observed = world.snapshot(
        now,
        (instanceId, revisionId) => inFlight(instanceId, revisionId, now),
        revisions,
      );
      const steps = plan(desired, observed, world.wanted, now, can, revisions);
      const acted = new Set(
        steps.map((step) =>
          step.kind === 'create' ? step.revisionId : world.entries.get(step.instanceId)?.record.revisionId,
        ),
      );
      const instances = Map.groupBy(observed.instances, ({ record }) => record.revisionId);
      for (const revisionId of revisions) {
        const looked = {
          revision: desired.get(revisionId),
          instances: instances.get(revisionId) ?? [],
          verdict: observed.verdicts.get(revisionId),
          acted: acted.has(revisionId),
        };
        agenda.at(revisionId, nextLook(looked, now));
      }
      return steps;
    },
  };
}

/** Ids of what came, went or is another object than before. */
function differences(
  before: ReadonlyMap<string, DesiredRevision> | null,
  after: ReadonlyMap<string, DesiredRevision> | null,
): string[] {
  const came = [...(after ?? [])].filter(([id, each]) => before?.get(id) !== each).map(([id]) => id);
  const went = [...(before ?? [])].filter(([id]) => !after?.has(id)).map(([id]) => id);
  return [...came, ...went];
}
