import { isDeepStrictEqual } from 'node:util';
import type { Instance } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { Database } from '@skyrun/postgres';
import {
  addInstance,
  instanceValues,
  type KnownInstance,
  knownInstances,
  revisionVerdicts,
  type Verdict,
  waitingServices,
} from '../store/observed.ts';
import { notifyChange } from '../store/services.ts';
import type { RevisionState, Tables } from '../store/tables.ts';
import type { TrafficDeps } from '../traffic/settle-traffic.ts';
import { settleWarmed, takeVerdict } from './take-over.ts';

export interface Observed {
  readonly instances: readonly Instance[];
  readonly revisions: readonly (Verdict & { readonly revisionId: string })[];
}

/** The orchestrator, as seen from here. */
export interface Observer {
  getObserved(signal: AbortSignal): Promise<Observed>;
}

/** How long an ended instance is remembered so that a late event does not bring it back, in milliseconds. */
const REMEMBER_ENDED_MS = 3600 * 1000;

/**
 * Makes what we know equal to what the orchestrator observes, whatever events were lost. What an event has changed while
 * the orchestrator was asked is newer than its answer and stays; the next sync sees it.
 */
export async function syncObserved(
  deps: TrafficDeps & { readonly db: Database; readonly observer: Observer },
  signal: AbortSignal,
): Promise<void> {
  const { db, clock, observer } = deps;
  const store = db.kysely<Tables>();
  const known = await knownInstances(store);
  const verdicts = await revisionVerdicts(store);
  const observed = await observer.getObserved(signal);
  const now = new Date(clock.now());
  const change = planSync(known, observed.instances, clock.now());
  await db.transaction(async (tx) => {
    const inside = tx.kysely<Tables>();
    const touched = new Set<string>();
    for (const instance of change.added) {
      await addInstance(inside, instance, now);
      touched.add(instance.serviceId);
    }
    for (const { instance, version } of change.changed) {
      await inside
        .updateTable('instances')
        .set({ ...instanceValues(instance, now), observed_version: version + 1 })
        .where('id', '=', instance.id)
        .where('observed_version', '=', version)
        .execute();
      touched.add(instance.serviceId);
    }
    for (const serviceId of touched) await notifyChange(inside, serviceId);
    for (const serviceId of new Set([...touched, ...(await waitingServices(inside))])) {
      await settleWarmed(tx, serviceId, deps);
    }
    for (const { revisionId, ...verdict } of observed.revisions) {
      const known = verdicts.get(revisionId);
      if (known !== undefined && tellsMore(known, verdict)) {
        await takeVerdict(tx, revisionId, verdict, deps, known.version);
      }
    }
    await inside
      .deleteFrom('instances')
      .where('state', 'in', ['stopped', 'failed'])
      .where('observed_at', '<', new Date(clock.now() - REMEMBER_ENDED_MS))
      .execute();
  });
}

interface KnownVerdict {
  readonly state: RevisionState;
  readonly reason: string | null;
  readonly message: string | null;
}

/** Whether a verdict is to be taken over. `pending` about what has been ready says only that it is not judged just now. */
export function tellsMore(known: KnownVerdict, told: Verdict): boolean {
  if (known.state === 'ready' && told.state === 'pending') return false;
  return (
    known.state !== told.state || known.reason !== (told.reason ?? null) || known.message !== (told.message ?? null)
  );
}

export interface SyncPlan {
  readonly added: readonly Instance[];
  readonly changed: readonly { readonly instance: Instance; readonly version: number }[];
}

/** What the answer of the orchestrator changes in what we know. A known instance that it does not name has ended. */
export function planSync(known: readonly KnownInstance[], observed: readonly Instance[], now: number): SyncPlan {
  const byId = new Map(observed.map((instance) => [instance.id, instance]));
  const knownIds = new Set(known.map(({ id }) => id));
  const endedAt = isoTime(now);
  return {
    added: observed.filter(({ id }) => !knownIds.has(id)),
    changed: known.flatMap(({ id, data, version }) => {
      const instance = byId.get(id) ?? { ...data, state: 'stopped' as const, endedAt, reason: data.reason ?? 'Gone' };
      return isDeepStrictEqual(instance, data) ? [] : [{ instance, version }];
    }),
  };
}
