import { Problem, type RolloutDecision, type RolloutPolicy } from '@skyrun/contracts';
import { type Clock, isoTime, newId } from '@skyrun/kit';
import { appendEvents, type Transaction } from '@skyrun/postgres';
import { findRollout, insertRollout, recordRollout } from '../store/rollouts.ts';
import type { RevisionRow, RolloutRow, ServiceRow, Tables } from '../store/tables.ts';
import { SOURCE } from '../use-case.ts';

type Told = Omit<RolloutDecision, 'at'>;
type Change = Parameters<typeof recordRollout>[3];

/** Begins a rollout from the revision that follows the latest now to one that has just become it. */
export async function beginRollout(
  tx: Transaction,
  service: ServiceRow,
  { from, to, policy }: { from: Pick<RevisionRow, 'id' | 'name'>; to: RevisionRow; policy: RolloutPolicy },
  clock: Clock,
): Promise<string> {
  const store = tx.kysely<Tables>();
  const percent = policy.steps[0]?.percent ?? 100;
  const sentence = `${percent} % to the new revision: ${to.name} is ready`;
  const decision: RolloutDecision = { at: isoTime(clock.now()), verdict: 'started', percent, sentence };
  const now = new Date(clock.now());
  const row: RolloutRow = {
    id: newId('rollout', clock),
    service_id: service.id,
    from_revision_id: from.id,
    from_revision: from.name,
    to_revision_id: to.id,
    to_revision: to.name,
    policy,
    state: 'running',
    step: 0,
    percent,
    sentence,
    started_at: now,
    step_since: now,
    ended_at: null,
    decisions: [decision],
  };
  await insertRollout(store, row);
  await tell(tx, service, row, decision, clock);
  return row.id;
}

/** Writes a step or verdict of a rollout and tells of it. */
export async function moveRollout(
  tx: Transaction,
  service: ServiceRow,
  row: RolloutRow,
  told: Told,
  change: Change,
  clock: Clock,
): Promise<void> {
  const decision: RolloutDecision = { at: isoTime(clock.now()), ...told };
  await recordRollout(tx.kysely<Tables>(), row, decision, change);
  await tell(tx, service, row, decision, clock);
}

/** Ends a running rollout because something else decides about traffic now. */
export async function supersedeRollout(
  tx: Transaction,
  service: ServiceRow,
  sentence: string,
  clock: Clock,
): Promise<void> {
  if (service.rollout_id === null) return;
  const row = await findRollout(tx.kysely<Tables>(), service.rollout_id);
  if (row === undefined) throw new Problem('platform.internal', { detail: `rollout ${service.rollout_id} is missing` });
  if (row.state !== 'running') return;
  await moveRollout(
    tx,
    service,
    row,
    { verdict: 'superseded', percent: row.percent, sentence },
    { state: 'superseded', ended_at: new Date(clock.now()) },
    clock,
  );
}

async function tell(
  tx: Transaction,
  service: ServiceRow,
  row: RolloutRow,
  decision: RolloutDecision,
  clock: Clock,
): Promise<void> {
  const { project, name, id } = service;
  const data = {
    project,
    service: name,
    serviceId: id,
    rolloutId: row.id,
    fromRevision: row.from_revision,
    toRevision: row.to_revision,
    decision,
  };
  const subject = `services/${project}/${name}`;
  await appendEvents(tx, SOURCE, [{ type: 'skyrun.rollout.decided.v1', subject, project, data }], clock);
}
