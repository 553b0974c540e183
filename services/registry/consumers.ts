import type { EventBus, Subscription } from '@skyrun/bus';
import { type AnyEvent, isEvent, PLATFORM_GROUPS } from '@skyrun/contracts';
import { type Database, once } from '@skyrun/postgres';
import { takeInstance, takeVerdict } from './observed/take-over.ts';
import { pauseProject, resumeProject } from './paused/paused-projects.ts';
import type { Tables } from './store/tables.ts';
import type { TrafficDeps } from './traffic/settle-traffic.ts';

/**
 * What the orchestrator tells, taken over at once; the sync makes up for what it did not tell. And what billing says of a
 * project's spending cap.
 */
export async function subscribeToObservations(
  bus: EventBus,
  deps: TrafficDeps & { readonly db: Database },
): Promise<Subscription> {
  return await bus.subscribe({
    ...PLATFORM_GROUPS.registry,
    handler: (event) => takeOver(event, deps),
  });
}

/** Takes over one event; once, however often it comes. */
export async function takeOver(event: AnyEvent, deps: TrafficDeps & { readonly db: Database }): Promise<void> {
  await deps.db.transaction(async (tx) => {
    if (!(await once(tx, PLATFORM_GROUPS.registry.group, event))) return;
    if (isEvent(event, 'skyrun.revision.ready.v1')) {
      await takeVerdict(tx, event.data.revisionId, { state: 'ready' }, deps);
    } else if (isEvent(event, 'skyrun.revision.failed.v1')) {
      const { revisionId, reason, message } = event.data;
      await takeVerdict(tx, revisionId, { state: 'failed', reason, message }, deps);
    } else if (
      isEvent(event, 'skyrun.instance.started.v1') ||
      isEvent(event, 'skyrun.instance.ready.v1') ||
      isEvent(event, 'skyrun.instance.unready.v1') ||
      isEvent(event, 'skyrun.instance.paused.v1') ||
      isEvent(event, 'skyrun.instance.resumed.v1') ||
      isEvent(event, 'skyrun.instance.parked.v1') ||
      isEvent(event, 'skyrun.instance.draining.v1') ||
      isEvent(event, 'skyrun.instance.stopped.v1') ||
      isEvent(event, 'skyrun.instance.failed.v1')
    ) {
      await takeInstance(tx, event.data, deps);
    } else if (isEvent(event, 'skyrun.project.capped.v1')) {
      const now = new Date(deps.clock.now());
      await pauseProject(tx.kysely<Tables>(), event.data.project, event.data.reason, now);
    } else if (isEvent(event, 'skyrun.project.uncapped.v1')) {
      await resumeProject(tx.kysely<Tables>(), event.data.project);
    }
  });
}
