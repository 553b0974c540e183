import type { EventBus, Subscription } from '@skyrun/bus';
import { type AnyEvent, isEvent, PLATFORM_GROUPS } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import { type Database, once } from '@skyrun/postgres';
import { recordInstance, recordVerdict } from './store/observed.ts';
import type { Tables } from './store/tables.ts';

/** What the orchestrator tells, taken over at once; the sync makes up for what it did not tell. */
export async function subscribeToObservations(
  bus: EventBus,
  deps: { readonly db: Database; readonly clock: Clock },
): Promise<Subscription> {
  return await bus.subscribe({
    ...PLATFORM_GROUPS.registry,
    handler: (event) => takeOver(event, deps),
  });
}

/** Takes over one event; once, however often it comes. */
export async function takeOver(event: AnyEvent, { db, clock }: { db: Database; clock: Clock }): Promise<void> {
  await db.transaction(async (tx) => {
    if (!(await once(tx, PLATFORM_GROUPS.registry.group, event))) return;
    const store = tx.kysely<Tables>();
    const now = new Date(clock.now());
    if (isEvent(event, 'skyrun.revision.ready.v1')) {
      await recordVerdict(store, event.data.revisionId, { state: 'ready' }, now);
    } else if (isEvent(event, 'skyrun.revision.failed.v1')) {
      const { revisionId, reason, message } = event.data;
      await recordVerdict(store, revisionId, { state: 'failed', reason, message }, now);
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
      await recordInstance(store, event.data, now);
    }
  });
}
