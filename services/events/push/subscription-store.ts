import type { PushFilter } from '@skyrun/contracts';
import type { Db } from '../store/tables.ts';
import { type Secret, type SubscriptionRecord, toSubscription } from './records.ts';
import type { Vault } from './vault.ts';

export interface NewSubscription {
  readonly id: string;
  readonly project: string;
  readonly name: string;
  readonly destination: string;
  readonly filter: PushFilter;
  readonly mode: string;
  readonly maxAttempts: number;
  readonly secrets: readonly Secret[];
  readonly fromPosition: bigint;
  readonly now: number;
}

/** Null when the project has one of this name. */
export async function insertSubscription(db: Db, given: NewSubscription): Promise<SubscriptionRecord | null> {
  const row = await db
    .insertInto('subscriptions')
    .values({
      id: given.id,
      project: given.project,
      name: given.name,
      destination: given.destination,
      filter: JSON.stringify(given.filter),
      mode: given.mode,
      max_attempts: given.maxAttempts,
      paused: false,
      secrets: JSON.stringify(given.secrets),
      from_position: given.fromPosition.toString(),
      created_at: new Date(given.now),
      updated_at: new Date(given.now),
    })
    .onConflict((conflict) => conflict.columns(['project', 'name']).doNothing())
    .returningAll()
    .executeTakeFirst();
  return row ? toSubscription(row) : null;
}

export interface SubscriptionChange {
  readonly destination?: string | undefined;
  readonly filter?: PushFilter | undefined;
  readonly mode?: string | undefined;
  readonly maxAttempts?: number | undefined;
  readonly paused?: boolean | undefined;
  readonly secrets?: readonly Secret[];
}

export async function changeSubscription(
  db: Db,
  { project, id }: SubscriptionKey,
  { destination, filter, mode, maxAttempts, paused, secrets }: SubscriptionChange,
  now: number,
): Promise<SubscriptionRecord | null> {
  const row = await db
    .updateTable('subscriptions')
    .set({
      ...(destination === undefined ? {} : { destination }),
      ...(filter === undefined ? {} : { filter: JSON.stringify(filter) }),
      ...(mode === undefined ? {} : { mode }),
      ...(maxAttempts === undefined ? {} : { max_attempts: maxAttempts }),
      ...(paused === undefined ? {} : { paused }),
      ...(secrets === undefined ? {} : { secrets: JSON.stringify(secrets) }),
      updated_at: new Date(now),
    })
    .where('project', '=', project)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
  return row ? toSubscription(row) : null;
}

export interface SubscriptionKey {
  readonly project: string;
  readonly id: string;
}

/** Locks it until the end of the transaction. */
export async function findSubscription(db: Db, { project, id }: SubscriptionKey): Promise<SubscriptionRecord | null> {
  const row = await db
    .selectFrom('subscriptions')
    .selectAll()
    .where('project', '=', project)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  return row ? toSubscription(row) : null;
}

/** One more than `limit` when there are more. */
export async function listSubscriptions(
  db: Db,
  project: string,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<SubscriptionRecord[]> {
  let query = db.selectFrom('subscriptions').selectAll().where('project', '=', project);
  if (cursor !== undefined) query = query.where('id', '>', cursor);
  const rows = await query
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  return rows.map(toSubscription);
}

export async function allSubscriptions(db: Db): Promise<SubscriptionRecord[]> {
  return (await db.selectFrom('subscriptions').selectAll().execute()).map(toSubscription);
}

export async function subscriptionsOf(db: Db, project: string): Promise<SubscriptionRecord[]> {
  return (await db.selectFrom('subscriptions').selectAll().where('project', '=', project).execute()).map(
    toSubscription,
  );
}

export async function deleteSubscription(db: Db, { project, id }: SubscriptionKey): Promise<boolean> {
  const result = await db
    .deleteFrom('subscriptions')
    .where('project', '=', project)
    .where('id', '=', id)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export async function sealPlainSecrets(db: Db, vault: Vault): Promise<void> {
  const rows = await db.selectFrom('subscriptions').selectAll().forUpdate().execute();
  for (const { id, signingSecrets } of rows.map(toSubscription)) {
    const sealed = signingSecrets.map((secret) => vault.keep(secret, id));
    if (sealed.every(({ value }, index) => value === signingSecrets[index]?.value)) continue;
    await db
      .updateTable('subscriptions')
      .set({ secrets: JSON.stringify(sealed) })
      .where('id', '=', id)
      .execute();
  }
}
