import type { RolloutDecision } from '@skyrun/contracts';
import type { RolloutRow, Store } from './tables.ts';

export async function findRollout(store: Store, id: string): Promise<RolloutRow | undefined> {
  return await store.selectFrom('rollouts').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function insertRollout(
  store: Store,
  row: Omit<RolloutRow, 'policy' | 'decisions'> & Pick<RolloutRow, 'policy' | 'decisions'>,
): Promise<void> {
  await store
    .insertInto('rollouts')
    .values({ ...row, policy: JSON.stringify(row.policy), decisions: JSON.stringify(row.decisions) })
    .execute();
}

/** Adds a verdict and takes over what it changes. */
export async function recordRollout(
  store: Store,
  row: RolloutRow,
  decision: RolloutDecision,
  change: Partial<Pick<RolloutRow, 'state' | 'step' | 'percent' | 'step_since' | 'ended_at'>>,
): Promise<void> {
  await store
    .updateTable('rollouts')
    .set({ ...change, sentence: decision.sentence, decisions: JSON.stringify([...row.decisions, decision]) })
    .where('id', '=', row.id)
    .execute();
}

/** Why it stands where it stands, where that is no verdict. */
export async function recordSentence(store: Store, row: RolloutRow, sentence: string): Promise<void> {
  await store
    .updateTable('rollouts')
    .set({ sentence })
    .where('id', '=', row.id)
    .where('step', '=', row.step)
    .where('state', '=', 'running')
    .execute();
}

export async function runningRollouts(store: Store): Promise<RolloutRow[]> {
  return await store
    .selectFrom('rollouts')
    .innerJoin('services', 'services.rollout_id', 'rollouts.id')
    .selectAll('rollouts')
    .where('rollouts.state', '=', 'running')
    .where('services.deleted_at', 'is', null)
    .orderBy('rollouts.id')
    .execute();
}

/** Newest first. */
export async function listRollouts(
  store: Store,
  serviceId: string,
  before: string | null,
  limit: number,
): Promise<RolloutRow[]> {
  return await store
    .selectFrom('rollouts')
    .selectAll()
    .where('service_id', '=', serviceId)
    .$if(before !== null, (query) => query.where('id', '<', before ?? ''))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}
