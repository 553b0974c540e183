import type { Instance } from '@skyrun/contracts';
import { sql } from 'kysely';
import { LIVE_STATES } from '../observed/instance-order.ts';
import type { ServiceState } from '../services/service-state.ts';
import { pageByName } from './page-by-name.ts';
import { pausedProjects } from './paused.ts';
import type { RevisionRow, RolloutRow, ServiceRow, Store } from './tables.ts';

/** Channel on which every change of a service is told to all processes of the registry; the payload is its id. */
export const CHANGES = 'registry_changes';

export async function notifyChange(store: Store, serviceId: string): Promise<void> {
  await sql`select pg_notify(${CHANGES}, ${serviceId})`.execute(store);
}

export async function findService(store: Store, project: string, name: string): Promise<ServiceRow | undefined> {
  return await store
    .selectFrom('services')
    .selectAll()
    .where('project', '=', project)
    .where('name', '=', name)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
}

/** Like `findService`; no other transaction changes the service until this one ends. */
export async function lockService(store: Store, project: string, name: string): Promise<ServiceRow | undefined> {
  return await store
    .selectFrom('services')
    .selectAll()
    .where('project', '=', project)
    .where('name', '=', name)
    .where('deleted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
}

/** Like `lockService`, by id. */
export async function lockServiceById(store: Store, id: string): Promise<ServiceRow | undefined> {
  return await store
    .selectFrom('services')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
}

/** By name. */
export async function listServices(
  store: Store,
  project: string,
  after: string | null,
  limit: number,
): Promise<ServiceRow[]> {
  const own = store.selectFrom('services').selectAll().where('project', '=', project).where('deleted_at', 'is', null);
  return await pageByName(own, after, limit).execute();
}

/** Services that are not deleted: all, or those of `ids` that there are. */
export async function readServices(store: Store, ids: readonly string[] | 'all'): Promise<ServiceRow[]> {
  if (ids !== 'all' && ids.length === 0) return [];
  return await store
    .selectFrom('services')
    .selectAll()
    .where('deleted_at', 'is', null)
    .$if(ids !== 'all', (query) => query.where('id', 'in', ids === 'all' ? [] : ids))
    .orderBy('id')
    .execute();
}

/** Adds to services what their status is derived from; in the order given. Run it with the read of the services at one moment. */
export async function completeServices(store: Store, services: readonly ServiceRow[]): Promise<ServiceState[]> {
  if (services.length === 0) return [];
  const revisionIds = services.flatMap((service) => [
    service.latest_created_id,
    ...(service.latest_ready_id === null ? [] : [service.latest_ready_id]),
    ...service.routed.map(({ revisionId }) => revisionId),
    ...service.warming,
  ]);
  const serviceIds = services.map((service) => service.id);
  const revisions = await store.selectFrom('revisions').selectAll().where('id', 'in', revisionIds).execute();
  const instances = await liveInstances(store, serviceIds);
  const rollouts = await rolloutsOf(store, services);
  const paused = await pausedProjects(store);
  const byId = new Map(revisions.map((revision) => [revision.id, revision]));
  const byService = Map.groupBy(instances, (instance) => instance.serviceId);
  return services.map((service) => ({
    service,
    newest: required(byId, service.latest_created_id),
    ready: service.latest_ready_id === null ? null : required(byId, service.latest_ready_id),
    routed: service.routed.map((target) => ({ ...target, revision: required(byId, target.revisionId) })),
    warming: service.warming.map((id) => required(byId, id)),
    rollout: rollouts.get(service.rollout_id ?? '') ?? null,
    paused: paused.get(service.project),
    instances: byService.get(service.id) ?? [],
  }));
}

async function rolloutsOf(store: Store, services: readonly ServiceRow[]): Promise<Map<string, RolloutRow>> {
  const ids = services.flatMap(({ rollout_id }) => rollout_id ?? []);
  if (ids.length === 0) return new Map();
  const rows = await store.selectFrom('rollouts').selectAll().where('id', 'in', ids).execute();
  return new Map(rows.map((row) => [row.id, row]));
}

export async function completeService(store: Store, service: ServiceRow): Promise<ServiceState> {
  const [state] = await completeServices(store, [service]);
  if (state === undefined) throw new Error(`service ${service.id} vanished`);
  return state;
}

/** Oldest first, so that a route lists its instances in a stable order. */
async function liveInstances(store: Store, serviceIds: readonly string[]): Promise<Instance[]> {
  const rows = await store
    .selectFrom('instances')
    .select('data')
    .where('service_id', 'in', serviceIds)
    .where('state', 'in', LIVE_STATES)
    .orderBy('id')
    .execute();
  return rows.map(({ data }) => data);
}

/** The number of the next revision of that name; no number is given twice. */
export async function nextRevisionNumber(store: Store, project: string, service: string): Promise<number> {
  const { last } = await store
    .insertInto('revision_counters')
    .values({ project, service, last: 1 })
    .onConflict((conflict) =>
      conflict.columns(['project', 'service']).doUpdateSet({ last: sql`revision_counters.last + 1` }),
    )
    .returning('last')
    .executeTakeFirstOrThrow();
  return last;
}

/**
 * Marks the revisions that a service no longer wants, and unmarks one that it wants again. One that had traffic until now
 * lingers for `lingerMs`.
 */
export async function markRetired(
  store: Store,
  service: ServiceRow,
  now: Date,
  lingering: { readonly ids: readonly string[]; readonly ms: number } = { ids: [], ms: 0 },
): Promise<void> {
  const wanted = service.deleted_at === null ? await wantedRevisions(store, service) : [''];
  const until = new Date(now.getTime() + lingering.ms);
  await store
    .updateTable('revisions')
    .set({
      retired_at: now,
      lingers_until: sql`case when id = any(${[...lingering.ids]}::text[]) then ${until}::timestamptz end`,
    })
    .where('service_id', '=', service.id)
    .where('id', 'not in', wanted)
    .where((where) =>
      where.or([
        where('retired_at', 'is', null),
        // A deleted service's ones stop at once.
        ...(service.deleted_at === null ? [] : [where('lingers_until', 'is not', null)]),
      ]),
    )
    .execute();
  await store
    .updateTable('revisions')
    .set({ retired_at: null, lingers_until: null })
    .where('service_id', '=', service.id)
    .where('id', 'in', wanted)
    .where('retired_at', 'is not', null)
    .execute();
}

/** Those with traffic or a tag, those on the way to it, and a newest one that has not proved itself. */
async function wantedRevisions(store: Store, service: ServiceRow): Promise<string[]> {
  const { state } = await store
    .selectFrom('revisions')
    .select('state')
    .where('id', '=', service.latest_created_id)
    .executeTakeFirstOrThrow();
  const routed = service.routed.map(({ revisionId }) => revisionId);
  return [...routed, ...service.warming, ...(state === 'ready' ? [] : [service.latest_created_id]), ''];
}

/** Revisions that no service wants: of which something runs, or that were wanted after `since`. Newest first. */
export async function retiredRevisions(store: Store, since: Date, limit: number): Promise<RevisionRow[]> {
  return await store
    .selectFrom('revisions')
    .selectAll()
    .where('retired_at', 'is not', null)
    .where((where) =>
      where.or([
        where('retired_at', '>', since),
        where.exists(
          where
            .selectFrom('instances')
            .select('instances.id')
            .whereRef('instances.revision_id', '=', 'revisions.id')
            .where('instances.state', 'in', LIVE_STATES),
        ),
      ]),
    )
    .orderBy('retired_at', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Newest first. */
export async function listRevisions(
  store: Store,
  serviceId: string,
  before: number | null,
  limit: number,
): Promise<RevisionRow[]> {
  return await store
    .selectFrom('revisions')
    .selectAll()
    .where('service_id', '=', serviceId)
    .$if(before !== null, (query) => query.where('number', '<', before ?? 0))
    .orderBy('number', 'desc')
    .limit(limit)
    .execute();
}

/** A revision of a service that is not deleted. */
export async function findRevision(store: Store, project: string, name: string): Promise<RevisionRow | undefined> {
  return await store
    .selectFrom('revisions')
    .innerJoin('services', 'services.id', 'revisions.service_id')
    .selectAll('revisions')
    .where('revisions.project', '=', project)
    .where('revisions.name', '=', name)
    .where('services.deleted_at', 'is', null)
    .executeTakeFirst();
}

export async function findRevisionById(store: Store, id: string): Promise<RevisionRow | undefined> {
  return await store.selectFrom('revisions').selectAll().where('id', '=', id).executeTakeFirst();
}

export type PrunableRevision = Pick<RevisionRow, 'id' | 'name'>;

/** Revisions beyond the newest `limit` that nothing refers to and of which nothing runs, oldest first. */
export async function prunableRevisions(
  store: Store,
  service: ServiceRow,
  named: readonly string[],
  limit: number,
): Promise<PrunableRevision[]> {
  const { rows } = await sql<PrunableRevision>`
    select id, name from (
      select id, name, number, retired_at, row_number() over (order by number desc) as place
      from revisions where service_id = ${service.id}
    ) as counted
    where place > ${limit} and retired_at is not null
      and id not in (${service.latest_created_id}, ${service.latest_ready_id ?? ''})
      and name <> all (${[...named]}::text[])
      and not exists (
        select from rollouts where rollouts.id = ${service.rollout_id ?? ''} and counted.id in (from_revision_id, to_revision_id))
      and not exists (
        select from instances
        where instances.revision_id = counted.id and instances.state not in ('stopped', 'failed'))
    order by number`.execute(store);
  return rows;
}

export async function removeRevisions(store: Store, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await store.deleteFrom('revisions').where('id', 'in', ids).execute();
}

/** Revisions of a service by name; those that there are. */
export async function revisionsNamed(
  store: Store,
  serviceId: string,
  names: readonly string[],
): Promise<Map<string, RevisionRow>> {
  if (names.length === 0) return new Map();
  const rows = await store
    .selectFrom('revisions')
    .selectAll()
    .where('service_id', '=', serviceId)
    .where('name', 'in', names)
    .execute();
  return new Map(rows.map((row) => [row.name, row]));
}

function required(rows: ReadonlyMap<string, RevisionRow>, id: string): RevisionRow {
  const row = rows.get(id);
  if (row === undefined) throw new Error(`revision ${id} is missing although a service names it`);
  return row;
}

/** Ids of the services of some projects that are not deleted. */
export async function findServiceIds(store: Store, projects: readonly string[]): Promise<string[]> {
  if (projects.length === 0) return [];
  const rows = await store
    .selectFrom('services')
    .select('id')
    .where('project', 'in', projects)
    .where('deleted_at', 'is', null)
    .execute();
  return rows.map(({ id }) => id);
}

/** All revisions of some services. */
export async function listRevisionsOf(store: Store, serviceIds: readonly string[]): Promise<RevisionRow[]> {
  if (serviceIds.length === 0) return [];
  return await store.selectFrom('revisions').selectAll().where('service_id', 'in', serviceIds).orderBy('id').execute();
}

/** Starting, ready and draining instances of a service, also of one that is deleted. */
export async function liveInstanceCount(store: Store, serviceId: string): Promise<number> {
  return (await liveInstances(store, [serviceId])).length;
}
