import type { Instance } from '@skyrun/contracts';
import { sql } from 'kysely';
import { isNews, LIVE_STATES } from '../observed/instance-order.ts';
import { notifyChange } from './services.ts';
import type { RevisionRow, RevisionState, ServiceRow, Store } from './tables.ts';

/** Takes over what an event says of an instance, unless more is known already. */
export async function recordInstance(store: Store, instance: Instance, now: Date): Promise<void> {
  const values = instanceValues(instance, now);
  const inserted = await store
    .insertInto('instances')
    .values(values)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined) {
    const known = await store
      .selectFrom('instances')
      .select(['data', 'observed_version'])
      .where('id', '=', instance.id)
      .forUpdate()
      .executeTakeFirst();
    if (known === undefined || !isNews(known.data, instance)) return;
    await store
      .updateTable('instances')
      .set({ ...values, observed_version: known.observed_version + 1 })
      .where('id', '=', instance.id)
      .execute();
  }
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
 * Writes down the orchestrator's verdict on a revision and locks its service. Null where that changes nothing.
 * @param ifVersion only where no other verdict came since
 */
export async function recordVerdict(
  store: Store,
  revisionId: string,
  verdict: Verdict,
  now: Date,
  ifVersion?: number,
): Promise<{ readonly service: ServiceRow; readonly revision: RevisionRow } | null> {
  const service = await lockServiceOf(store, revisionId);
  if (service === undefined) return null;
  const revision = await store
    .selectFrom('revisions')
    .selectAll()
    .where('id', '=', revisionId)
    .executeTakeFirstOrThrow();
  if (ifVersion !== undefined && revision.observed_version !== ifVersion) return null;
  if (sameVerdict(revision, verdict)) return null;
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
  await notifyChange(store, changed.service_id);
  return { service, revision: changed };
}

/** Revisions of a service of which an instance takes requests, if need be when it is resumed. */
/** Services whose traffic waits for an instance of another revision. */
export async function waitingServices(store: Store): Promise<string[]> {
  const rows = await store
    .selectFrom('services')
    .select('id')
    .where('deleted_at', 'is', null)
    .where(sql<boolean>`warming <> '[]'`)
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}

export async function readyRevisions(store: Store, serviceId: string): Promise<Set<string>> {
  const rows = await store
    .selectFrom('instances')
    .select('revision_id')
    .distinct()
    .where('service_id', '=', serviceId)
    .where('state', 'in', ['ready', 'paused'])
    .execute();
  return new Set(rows.map(({ revision_id }) => revision_id));
}

function sameVerdict(revision: RevisionRow, { state, reason, message }: Verdict): boolean {
  return revision.state === state && revision.reason === (reason ?? null) && revision.message === (message ?? null);
}

/** Each change of a service or its revisions locks the service first, so two of them wait for each other in order. */
async function lockServiceOf(store: Store, revisionId: string): Promise<ServiceRow | undefined> {
  return await store
    .selectFrom('services')
    .selectAll()
    .where('id', '=', (where) =>
      where.selectFrom('revisions').select('revisions.service_id').where('revisions.id', '=', revisionId),
    )
    .forUpdate()
    .executeTakeFirst();
}

/** Longer than the orchestrator takes to answer, in milliseconds. */
const REVIVE_AFTER_MS = 30_000;

/**
 * One that is unknown, or known to have ended: the orchestrator sees it, so it may be there. But an event may have ended it
 * after the orchestrator answered: what ended a moment ago stays ended until the next sync says otherwise.
 */
export async function addInstance(store: Store, instance: Instance, now: Date): Promise<void> {
  const settled = new Date(now.getTime() - REVIVE_AFTER_MS);
  const { observed_at, ...values } = instanceValues(instance, now);
  await store
    .insertInto('instances')
    .values({ ...values, observed_at })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet({ ...values, observed_at, observed_version: sql`instances.observed_version + 1` })
        .where('instances.state', 'in', ['stopped', 'failed'])
        .where('instances.observed_at', '<', settled),
    )
    .execute();
}

/** An instance that has not ended, as far as we know. */
export interface KnownInstance {
  readonly id: string;
  readonly state: Instance['state'];
  readonly data: Instance;
  readonly version: number;
}

export async function knownInstances(store: Store): Promise<KnownInstance[]> {
  return await store
    .selectFrom('instances')
    .select(['id', 'state', 'data', 'observed_version as version'])
    .where('state', 'in', LIVE_STATES)
    .orderBy('id')
    .execute();
}

/** Verdicts on wanted revisions, with their versions. */
export async function revisionVerdicts(store: Store) {
  const rows = await store
    .selectFrom('revisions')
    .innerJoin('services', 'services.id', 'revisions.service_id')
    .select([
      'revisions.id',
      'revisions.state',
      'revisions.reason',
      'revisions.message',
      'revisions.observed_version as version',
    ])
    .where('services.deleted_at', 'is', null)
    .where('revisions.retired_at', 'is', null)
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}
