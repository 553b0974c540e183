import type { Delivery, DeliveryAttempt, EventEnvelope } from '@skyrun/contracts';
import { sql } from 'kysely';
import type { Db } from '../store/tables.ts';
import { type SubscriptionRecord, toDelivery, toSubscription } from './records.ts';

/** Tries that the log of one delivery keeps. */
const HISTORY = 20;

export interface NewDelivery {
  readonly id: string;
  readonly subscriptionId: string;
  readonly kind: Delivery['kind'];
  readonly event: EventEnvelope;
}

/** Those that the subscription has already are passed over. */
export async function insertDeliveries(db: Db, deliveries: readonly NewDelivery[], now: number): Promise<void> {
  if (deliveries.length === 0) return;
  const at = new Date(now);
  await db
    .insertInto('deliveries')
    .values(
      deliveries.map(({ id, subscriptionId, kind, event }) => ({
        id,
        subscription_id: subscriptionId,
        event_id: event.id,
        kind,
        event: JSON.stringify(event),
        state: 'waiting',
        due_at: at,
        created_at: at,
        done_at: null,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Puts a test into the log, with what came of it. */
export async function insertTest(
  db: Db,
  given: Omit<NewDelivery, 'kind'> & { state: 'delivered' | 'refused'; attempt: DeliveryAttempt },
  now: number,
): Promise<Delivery> {
  const at = new Date(now);
  const row = await db
    .insertInto('deliveries')
    .values({
      id: given.id,
      subscription_id: given.subscriptionId,
      event_id: given.event.id,
      kind: 'test',
      event: JSON.stringify(given.event),
      state: given.state,
      attempts: 1,
      history: JSON.stringify([given.attempt]),
      due_at: at,
      created_at: at,
      done_at: at,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toDelivery(row);
}

export interface DueDelivery {
  readonly delivery: Delivery;
  readonly subscription: SubscriptionRecord;
}

/** Null when there is nothing to do: it is done, or its subscription is gone. */
export async function findWaiting(db: Db, id: string): Promise<DueDelivery | null> {
  const row = await db
    .selectFrom('deliveries')
    .selectAll()
    .where('id', '=', id)
    .where('state', '=', 'waiting')
    .executeTakeFirst();
  if (!row) return null;
  const owner = await db
    .selectFrom('subscriptions')
    .selectAll()
    .where('id', '=', row.subscription_id)
    .executeTakeFirst();
  return owner ? { delivery: toDelivery(row), subscription: toSubscription(owner) } : null;
}

export interface Result {
  readonly state: Delivery['state'];
  /** Unix milliseconds of the next try, or of the end. */
  readonly at: number;
  readonly attempt: DeliveryAttempt;
}

export async function recordAttempt(db: Db, { id, history }: Delivery, { state, at, attempt }: Result): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({
      state,
      attempts: sql<number>`attempts + 1`,
      history: JSON.stringify([...history, attempt].slice(-HISTORY)),
      due_at: new Date(at),
      done_at: state === 'waiting' ? null : new Date(at),
    })
    .where('id', '=', id)
    .where('state', '=', 'waiting')
    .execute();
}

/** Puts a delivery off without counting a try. */
export async function postpone(db: Db, id: string, at: number): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ due_at: new Date(at) })
    .where('id', '=', id)
    .where('state', '=', 'waiting')
    .execute();
}

/** The queue does not know them (any more): they wait to be claimed again. */
export async function unqueue(db: Db, ids: readonly string[]): Promise<void> {
  await db.updateTable('deliveries').set({ queued: false }).where('id', 'in', ids).execute();
}

/**
 * Deliveries that the queue should be told of, oldest first: as many per subscription as leave at most `window` in the queue that
 * are due, so that a destination that stands still fills neither the queue nor the workers.
 */
export async function claimUnqueued(db: Db, window: number, now: number): Promise<string[]> {
  const result = await sql<{ id: string }>`
    WITH room AS (
      SELECT s.id, ${window}::int - count(d.id) FILTER (WHERE d.queued AND d.due_at <= ${new Date(now)}) AS free
      FROM subscriptions s JOIN deliveries d ON d.subscription_id = s.id AND d.state = 'waiting'
      WHERE NOT s.paused
      GROUP BY s.id HAVING bool_or(NOT d.queued)
    ), picked AS (
      SELECT next.id FROM room CROSS JOIN LATERAL (
        SELECT id FROM deliveries
        WHERE subscription_id = room.id AND state = 'waiting' AND NOT queued
        ORDER BY id LIMIT greatest(room.free, 0)
      ) next
    )
    UPDATE deliveries SET queued = true FROM picked WHERE deliveries.id = picked.id
    RETURNING deliveries.id`.execute(db);
  return result.rows.map(({ id }) => id).sort();
}

/** Deliveries that should have been tried long ago: the queue has lost them, or is behind. */
export async function findOverdue(db: Db, before: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select('id')
    .where('state', '=', 'waiting')
    .where('queued', '=', true)
    .where('due_at', '<', new Date(before))
    .orderBy('due_at')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** One more than `limit` when there are more. */
export async function listDeliveries(
  db: Db,
  subscriptionId: string,
  { limit, cursor, state }: { limit: number; cursor?: string | undefined; state?: string | undefined },
): Promise<Delivery[]> {
  let query = db.selectFrom('deliveries').selectAll().where('subscription_id', '=', subscriptionId);
  if (cursor !== undefined) query = query.where('id', '<', cursor);
  if (state !== undefined) query = query.where('state', '=', state);
  const rows = await query
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  return rows.map(toDelivery);
}

/** `none` when it is not there, `busy` when it is neither refused nor dead. */
export async function reviveDelivery(
  db: Db,
  { subscriptionId, id }: { subscriptionId: string; id: string },
  now: number,
): Promise<Delivery | 'none' | 'busy'> {
  const known = await db
    .selectFrom('deliveries')
    .select(['state', 'kind'])
    .where('subscription_id', '=', subscriptionId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (!known) return 'none';
  if (known.kind === 'test' || !['refused', 'dead'].includes(known.state)) return 'busy';
  const row = await db
    .updateTable('deliveries')
    .set({ state: 'waiting', attempts: 0, queued: false, due_at: new Date(now), done_at: null })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return toDelivery(row);
}

export async function dropOldDeliveries(
  db: Db,
  { deliveredBefore, deadBefore }: { deliveredBefore: number; deadBefore: number },
): Promise<void> {
  await db.deleteFrom('deliveries').where('done_at', '<', new Date(deadBefore)).execute();
  await db
    .deleteFrom('deliveries')
    .where('state', '=', 'delivered')
    .where('done_at', '<', new Date(deliveredBefore))
    .execute();
}
