import type { EventDraft } from '@skyrun/contracts';
import { type PrunableRevision, prunableRevisions, removeRevisions } from '../store/services.ts';
import type { ServiceRow, Store } from '../store/tables.ts';

/**
 * Forgets the oldest revisions of a service beyond `limit`. One that has traffic, a tag, a place in the spec or in a rollout,
 * that still runs, or that is the newest or the latest ready one, stays, whatever the limit.
 */
export async function pruneRevisions(store: Store, service: ServiceRow, limit: number): Promise<EventDraft[]> {
  const named = service.spec.traffic.flatMap(({ revisionName }) => revisionName ?? []);
  const pruned = await prunableRevisions(store, service, named, limit);
  await removeRevisions(
    store,
    pruned.map(({ id }) => id),
  );
  return pruned.map((revision) => prunedEvent(service, revision, limit));
}

function prunedEvent(service: ServiceRow, { id, name }: PrunableRevision, limit: number): EventDraft {
  const { project } = service;
  const data = {
    project,
    service: service.name,
    serviceId: service.id,
    revisionId: id,
    revisionName: name,
    reason: `no traffic, tag or rollout refers to it, and ${limit} newer revisions are kept`,
  };
  return { type: 'skyrun.revision.pruned.v1', subject: `services/${project}/${service.name}`, project, data };
}
