import type { Instance } from '@skyrun/contracts';
import type { Transaction } from '@skyrun/postgres';
import { beginRollout, supersedeRollout } from '../rollout/move-rollout.ts';
import { recordInstance, recordVerdict, type Verdict } from '../store/observed.ts';
import { findRollout } from '../store/rollouts.ts';
import { findRevisionById, lockServiceById } from '../store/services.ts';
import type { RevisionRow, ServiceRow, Store, Tables } from '../store/tables.ts';
import { settleTraffic, type TrafficDeps } from '../traffic/settle-traffic.ts';

/**
 * Takes over the orchestrator's verdict on a revision. The first `ready` of a newer one makes it the latest ready revision,
 * with a rollout where the service has a policy; a failure moves nothing.
 * @param ifVersion only where no other verdict came since
 */
export async function takeVerdict(
  tx: Transaction,
  revisionId: string,
  verdict: Verdict,
  deps: TrafficDeps,
  ifVersion?: number,
): Promise<void> {
  const now = new Date(deps.clock.now());
  const taken = await recordVerdict(tx.kysely<Tables>(), revisionId, verdict, now, ifVersion);
  if (taken === null) return;
  const service = taken.revision.state === 'ready' ? await becomeLatest(tx, taken, deps) : taken.service;
  if (service.deleted_at === null)
    await settleTraffic(tx, service, deps, `${taken.revision.name} is ${taken.revision.state}`);
}

/** Takes over what is told of an instance. One that is ready may be what traffic waits for. */
export async function takeInstance(tx: Transaction, instance: Instance, deps: TrafficDeps): Promise<void> {
  const store = tx.kysely<Tables>();
  await recordInstance(store, instance, new Date(deps.clock.now()));
  if (instance.state === 'ready') await settleWarmed(tx, instance.serviceId, deps);
}

/**
 * Moves traffic that waits for an instance, where there is one now. The service is locked before it is asked what it waits
 * for: a verdict on its way would begin the wait without seeing this transaction's instance, and nothing would end it.
 */
export async function settleWarmed(tx: Transaction, serviceId: string, deps: TrafficDeps): Promise<void> {
  const service = await lockServiceById(tx.kysely<Tables>(), serviceId);
  if (service !== undefined && service.warming.length > 0)
    await settleTraffic(tx, service, deps, 'an instance of it takes requests');
}

async function becomeLatest(
  tx: Transaction,
  { service, revision }: { readonly service: ServiceRow; readonly revision: RevisionRow },
  { clock }: TrafficDeps,
): Promise<ServiceRow> {
  const store = tx.kysely<Tables>();
  const latest = service.latest_ready_id === null ? undefined : await findRevisionById(store, service.latest_ready_id);
  if (latest !== undefined && latest.number >= revision.number) return service;
  const from = latest === undefined ? undefined : await follower(store, service, latest);
  const { rollout: policy, traffic } = service.spec;
  const follows = traffic.some(({ revisionName }) => revisionName === undefined);
  await supersedeRollout(tx, service, `${revision.name} is ready and takes its place`, clock);
  const rolloutId =
    policy === undefined || from === undefined || !follows
      ? null
      : await beginRollout(tx, service, { from, to: revision, policy }, clock);
  return await store
    .updateTable('services')
    .set({ latest_ready_id: revision.id, rollout_id: rolloutId })
    .where('id', '=', service.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Who has what follows the latest: the latest itself, unless a rollout to it has not ended well. */
async function follower(store: Store, service: ServiceRow, latest: RevisionRow): Promise<{ id: string; name: string }> {
  const rollout = service.rollout_id === null ? undefined : await findRollout(store, service.rollout_id);
  const unproved = rollout?.state === 'running' || rollout?.state === 'rolled-back';
  return unproved ? { id: rollout.from_revision_id, name: rollout.from_revision } : latest;
}
