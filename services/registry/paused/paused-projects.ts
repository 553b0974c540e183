/**
 * Projects that billing has capped. Their services keep their revisions and hosts, but nothing of them runs and gateways
 * answer in their place:
 *
 *   running ──project.capped──► paused ──project.uncapped──► running
 */
import type { DesiredState, Route } from '@skyrun/contracts';
import type { Pause } from '../store/paused.ts';
import { notifyChange } from '../store/services.ts';
import type { Store } from '../store/tables.ts';

export async function pauseProject(store: Store, project: string, reason: string, now: Date): Promise<void> {
  await store
    .insertInto('paused_projects')
    .values({ project, reason, since: now })
    .onConflict((conflict) => conflict.column('project').doUpdateSet({ reason }))
    .execute();
  await notifyServicesOf(store, project);
}

export async function resumeProject(store: Store, project: string): Promise<void> {
  await store.deleteFrom('paused_projects').where('project', '=', project).execute();
  await notifyServicesOf(store, project);
}

/** A paused project's routes lead nowhere, and say so to the gateway. */
export function blockRoutes(routes: readonly Route[], paused: ReadonlyMap<string, Pause>): Route[] {
  return routes.map((route) =>
    paused.has(route.project) ? { ...route, targets: [], blocked: 'spending_cap' as const } : route,
  );
}

/** What a paused project wants stays wanted, but none of it may run. */
export function suspendRevisions(
  entries: readonly DesiredState['revisions'][number][],
  paused: ReadonlyMap<string, Pause>,
): DesiredState['revisions'] {
  return entries.map((entry) => (paused.has(entry.revision.project) ? { ...entry, suspended: true } : entry));
}

async function notifyServicesOf(store: Store, project: string): Promise<void> {
  const services = await store
    .selectFrom('services')
    .select('id')
    .where('project', '=', project)
    .where('deleted_at', 'is', null)
    .execute();
  for (const { id } of services) await notifyChange(store, id);
}
