import type { TrafficTarget } from '@skyrun/contracts';
import type { RevisionRow, RolloutRow, RoutedTarget, RouteProblem } from '../store/tables.ts';

export interface Resolving {
  readonly targets: readonly TrafficTarget[];
  /** Revisions that targets name, by name. */
  readonly named: ReadonlyMap<string, RevisionRow>;
  readonly latestReady: RevisionRow | null;
  /** The last rollout; it counts while it leads to the latest ready revision. */
  readonly rollout: Pick<
    RolloutRow,
    'state' | 'from_revision_id' | 'from_revision' | 'to_revision_id' | 'percent'
  > | null;
  /** Where traffic goes now. */
  readonly routed: readonly RoutedTarget[];
  /** Revisions of which an instance takes requests. */
  readonly ready: ReadonlySet<string>;
}

export interface Resolution {
  /** Where traffic is to go; what was, where it cannot move yet. */
  readonly routed: readonly RoutedTarget[];
  /** Revisions to start before traffic moves. */
  readonly warming: readonly string[];
  /** Why traffic stays; null where it goes where the targets say. */
  readonly problem: Omit<RouteProblem, 'since'> | null;
}

/**
 * Where the traffic of a service goes. Make before break: it moves only to revisions that are ready and, where requests are
 * being served now, of which an instance runs; until then it stays where it was, with the reason. Pure.
 */
export function resolveTraffic(resolving: Resolving): Resolution {
  const { targets, routed, ready } = resolving;
  const stay = (problem: Resolution['problem'], warming: readonly string[] = []): Resolution => ({
    routed,
    warming,
    problem,
  });
  const resolved: RoutedTarget[] = [];
  for (const target of targets) {
    const problem = problemOf(target, resolving);
    if (problem === 'none yet') return stay(null);
    if (problem !== null) return stay(problem);
    resolved.push(...resolveTarget(target, resolving));
  }
  const next = merge(resolved);
  const serving = (id: string) => routed.some(({ revisionId, percent }) => revisionId === id && percent > 0);
  const served = routed.some(({ revisionId, percent }) => percent > 0 && ready.has(revisionId));
  const cold = next.filter(({ revisionId: id, percent }) => percent > 0 && !serving(id) && !ready.has(id));
  if (!served || cold.length === 0) return { routed: next, warming: [], problem: null };
  const names = [...new Set(cold.map(({ revisionName }) => revisionName))].join(' and ');
  return stay(
    {
      status: 'Unknown',
      reason: 'WaitingForInstance',
      message: `Traffic moves as soon as an instance of ${names} takes requests; until then it stays where it is`,
    },
    [...new Set(cold.map(({ revisionId }) => revisionId))],
  );
}

function problemOf(target: TrafficTarget, { named, latestReady }: Resolving): Resolution['problem'] | 'none yet' {
  if (target.revisionName === undefined) return latestReady === null ? 'none yet' : null;
  const revision = named.get(target.revisionName);
  if (revision === undefined) {
    const message = `Revision ${target.revisionName} does not exist any more; traffic stays where it was`;
    return { status: 'False', reason: 'RevisionMissing', message };
  }
  if (revision.state === 'ready') return null;
  if (revision.state === 'failed') {
    const why = `${revision.reason ?? 'Failed'}: ${revision.message ?? 'it did not become ready'}`;
    const message = `Revision ${revision.name} failed (${why}); traffic stays where it was`;
    return { status: 'False', reason: 'RevisionFailed', message };
  }
  const message = `Revision ${revision.name} is not ready yet; traffic stays where it was until it is`;
  return { status: 'Unknown', reason: 'RevisionNotReady', message };
}

/** The shares of one target; a latest one is divided between two revisions while its rollout lasts. */
function resolveTarget(target: TrafficTarget, { named, latestReady, rollout }: Resolving): RoutedTarget[] {
  const { percent, tag, revisionName } = target;
  const tagged = tag === undefined ? {} : { tag };
  const revision = revisionName === undefined ? latestReady : named.get(revisionName);
  if (revision === null || revision === undefined) return [];
  const latestRevision = revisionName === undefined;
  const whole: RoutedTarget = {
    revisionId: revision.id,
    revisionName: revision.name,
    percent,
    ...tagged,
    latestRevision,
  };
  const divided =
    latestRevision &&
    rollout?.to_revision_id === revision.id &&
    (rollout.state === 'running' || rollout.state === 'rolled-back');
  if (!divided) return [whole];
  const share = rollout.state === 'running' ? Math.round((percent * rollout.percent) / 100) : 0;
  const old: RoutedTarget = {
    revisionId: rollout.from_revision_id,
    revisionName: rollout.from_revision,
    percent: percent - share,
    latestRevision: false,
  };
  // A tag leads to the new revision from the start: that is how people look at it before traffic comes.
  return [old, { ...whole, percent: share }];
}

/** One entry for each revision without a tag; what has neither a tag nor a share is left out. */
function merge(targets: readonly RoutedTarget[]): RoutedTarget[] {
  const merged: RoutedTarget[] = [];
  for (const target of targets) {
    const same = merged.findIndex(
      (other) =>
        other.tag === undefined &&
        target.tag === undefined &&
        other.revisionId === target.revisionId &&
        other.latestRevision === target.latestRevision,
    );
    const known = merged[same];
    if (known !== undefined) merged[same] = { ...known, percent: known.percent + target.percent };
    else if (target.tag !== undefined || target.percent > 0) merged.push(target);
  }
  return merged;
}
