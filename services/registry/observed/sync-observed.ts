import { isDeepStrictEqual } from 'node:util';
import type { Instance } from '@skyrun/contracts';
import { type Clock, isoTime } from '@skyrun/kit';
import type { Database } from '@skyrun/postgres';
import { sql } from 'kysely';
import { notifyChange } from '../services/service.store.ts';
import type { Store, Tables } from '../tables.ts';
import { instanceValues, recordVerdict, type Verdict } from './observed.store.ts';

export interface Observed {
  readonly instances: readonly Instance[];
  readonly revisions: readonly (Verdict & { readonly revisionId: string })[];
}

/** The orchestrator, as seen from here. */
export interface Observer {
  getObserved(signal: AbortSignal): Promise<Observed>;
}

interface Known {
  readonly id: string;
  readonly state: Instance['state'];
  readonly data: Instance;
  readonly version: number;
}

/** How long an ended instance is remembered so that a late event does not bring it back, in milliseconds. */
const REMEMBER_ENDED_MS = 3600 * 1000;
/** Longer than the orchestrator takes to answer, in milliseconds. */
const REVIVE_AFTER_MS = 30_000;

/**
 * Makes what we know equal to what the orchestrator observes, whatever events were lost. What an event has changed while
 * the orchestrator was asked is newer than its answer and stays; the next sync sees it.
 */
export async function syncObserved(
  { db, clock, observer }: { db: Database; clock: Clock; observer: Observer },
  signal: AbortSignal,
): Promise<void> {
  const store = db.kysely<Tables>();
  const known = await liveInstances(store);
  const versions = await revisionVersions(store);
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
    for (const { revisionId, ...verdict } of observed.revisions) {
      const version = versions.get(revisionId);
      if (version !== undefined && version.state !== verdict.state) {
        await recordVerdict(inside, revisionId, verdict, now, version.version);
      }
    }
    await inside
      .deleteFrom('instances')
      .where('state', 'in', ['stopped', 'failed'])
      .where('observed_at', '<', new Date(clock.now() - REMEMBER_ENDED_MS))
      .execute();
  });
}

export interface SyncPlan {
  readonly added: readonly Instance[];
  readonly changed: readonly { readonly instance: Instance; readonly version: number }[];
}

/** What the answer of the orchestrator changes in what we know. A known instance that it does not name has ended. */
export function planSync(known: readonly Known[], observed: readonly Instance[], now: number): SyncPlan {
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

/**
 * One that is unknown, or known to have ended: the orchestrator sees it, so it may be there. But an event may have ended it
 * after the orchestrator answered: what ended a moment ago stays ended until the next sync says otherwise.
 */
async function addInstance(store: Store, instance: Instance, now: Date): Promise<void> {
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

async function liveInstances(store: Store): Promise<Known[]> {
  return await store
    .selectFrom('instances')
    .select(['id', 'state', 'data', 'observed_version as version'])
    .where('state', 'in', ['starting', 'ready', 'draining'])
    .orderBy('id')
    .execute();
}

async function revisionVersions(store: Store) {
  const rows = await store
    .selectFrom('revisions')
    .innerJoin('services', 'services.id', 'revisions.service_id')
    .select(['revisions.id', 'revisions.state', 'revisions.observed_version as version'])
    .where('services.deleted_at', 'is', null)
    .where('revisions.retired_at', 'is', null)
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}
