import type { Instance } from '@skyrun/contracts';
import { sql } from 'kysely';
import { markRetired, notifyChange } from '../services/service.store.ts';
import type { RevisionRow, RevisionState, Store } from '../tables.ts';
import { isNews } from './instance-order.ts';

/** Takes over what an event says of an instance, unless more is known already. */
export async function recordInstance(store: Store, instance: Instance, now: Date): Promise<void> {
  const known = await store
    .selectFrom('instances')
    .select('state')
    .where('id', '=', instance.id)
    .forUpdate()
    .executeTakeFirst();
  if (!isNews(known?.state ?? null, instance.state)) return;
  await store
    .insertInto('instances')
    .values(instanceValues(instance, now))
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((excluded) => ({
        state: excluded.ref('excluded.state'),
        data: excluded.ref('excluded.data'),
        observed_at: excluded.ref('excluded.observed_at'),
        observed_version: sql`instances.observed_version + 1`,
      })),
    )
    .execute();
  await notifyChange(store, instance.serviceId);
}

export function instanceValues(instance: Instance, now: Date) {
  return {
    id: instance.id,
    service_id: instance.serviceId,
    revision_id: instance.revisionId,
    state: instance.state,
    data: JSON.stringify(instance),
    observed_at: now,
  };
}

export interface Verdict {
  readonly state: RevisionState;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

/**
 * Takes over the orchestrator's verdict on a revision. The first `ready` moves the service's traffic to it, unless a newer
 * revision has it; a failure moves nothing.
 * @param ifVersion only where no other verdict came since
 */
export async function recordVerdict(
  store: Store,
  revisionId: string,
  verdict: Verdict,
  now: Date,
  ifVersion?: number,
): Promise<void> {
  const revision = await store
    .selectFrom('revisions')
    .selectAll()
    .where('id', '=', revisionId)
    .forUpdate()
    .executeTakeFirst();
  if (revision === undefined || (ifVersion !== undefined && revision.observed_version !== ifVersion)) return;
  if (sameVerdict(revision, verdict)) return;
  const changed = await store
    .updateTable('revisions')
    .set({
      state: verdict.state,
      reason: verdict.reason ?? null,
      message: verdict.message ?? null,
      state_since: revision.state === verdict.state ? revision.state_since : now,
      observed_version: revision.observed_version + 1,
    })
    .where('id', '=', revisionId)
    .returningAll()
    .executeTakeFirstOrThrow();
  if (changed.state === 'ready') await moveTraffic(store, changed, now);
  await notifyChange(store, changed.service_id);
}

function sameVerdict(revision: RevisionRow, { state, reason, message }: Verdict): boolean {
  return revision.state === state && revision.reason === (reason ?? null) && revision.message === (message ?? null);
}

async function moveTraffic(store: Store, revision: RevisionRow, now: Date): Promise<void> {
  const service = await store
    .selectFrom('services')
    .selectAll()
    .where('id', '=', revision.service_id)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (service.latest_ready_id === revision.id) return;
  if (service.latest_ready_id !== null) {
    const { number } = await store
      .selectFrom('revisions')
      .select('number')
      .where('id', '=', service.latest_ready_id)
      .executeTakeFirstOrThrow();
    if (number > revision.number) return;
  }
  const moved = await store
    .updateTable('services')
    .set({ latest_ready_id: revision.id, route_since: service.route_since ?? now })
    .where('id', '=', service.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await markRetired(store, moved, now);
}
