import { sql } from 'kysely';
import { pageByName } from './page-by-name.ts';
import type { DomainRow, Store } from './tables.ts';

export async function findDomain(store: Store, project: string, name: string): Promise<DomainRow | undefined> {
  return await store
    .selectFrom('domains')
    .selectAll()
    .where('project', '=', project)
    .where('name', '=', name)
    .executeTakeFirst();
}

/** Nobody else decides about the name until the transaction ends, in whatever project. */
export async function lockName(store: Store, name: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`domain ${name}`}, 0))`.execute(store);
}

/** Nobody else adds a domain to the project until the transaction ends. */
export async function lockDomainsOf(store: Store, project: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`domains of ${project}`}, 0))`.execute(store);
}

export async function countDomains(store: Store, project: string): Promise<number> {
  const { count } = await store
    .selectFrom('domains')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('project', '=', project)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Whoever has the name verified. */
export async function holderOf(store: Store, name: string): Promise<DomainRow | undefined> {
  return await store
    .selectFrom('domains')
    .selectAll()
    .where('name', '=', name)
    .where('state', '=', 'verified')
    .executeTakeFirst();
}

/** By name. */
export async function listDomains(
  store: Store,
  project: string,
  after: string | null,
  limit: number,
): Promise<DomainRow[]> {
  const own = store.selectFrom('domains').selectAll().where('project', '=', project);
  return await pageByName(own, after, limit).execute();
}

/** Those whose time has come, the longest due first. */
export async function dueDomains(store: Store, now: Date, limit: number): Promise<DomainRow[]> {
  return await store
    .selectFrom('domains')
    .selectAll()
    .where('next_check_at', '<=', now)
    .orderBy('next_check_at')
    .limit(limit)
    .execute();
}

/** The names that lead to each of some services, or of all. */
export async function verifiedDomains(
  store: Store,
  services: readonly string[] | 'all',
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (services.length === 0) return new Map();
  const rows = await store
    .selectFrom('domains')
    .select(['service_id', 'name'])
    .where('state', '=', 'verified')
    .$if(services !== 'all', (query) => query.where('service_id', 'in', services === 'all' ? [] : services))
    .orderBy('name')
    .execute();
  const names = new Map<string, string[]>();
  for (const { service_id: id, name } of rows) names.set(id, [...(names.get(id) ?? []), name]);
  return names;
}

/** Of some services, or of all; whatever their state. */
export async function domainsOf(store: Store, services: readonly string[] | 'all'): Promise<DomainRow[]> {
  if (services.length === 0) return [];
  return await store
    .selectFrom('domains')
    .selectAll()
    .$if(services !== 'all', (query) => query.where('service_id', 'in', services === 'all' ? [] : services))
    .execute();
}

/** Takes a service's domains away; gives those that there were. */
export async function dropDomains(store: Store, serviceId: string): Promise<DomainRow[]> {
  return await store.deleteFrom('domains').where('service_id', '=', serviceId).returningAll().execute();
}
