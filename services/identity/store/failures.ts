import type { ThrottleState } from '../throttle/decide.ts';
import type { Db } from './tables.ts';

export async function readFailures(db: Db, keys: readonly string[]): Promise<Map<string, ThrottleState>> {
  const rows = await db.selectFrom('sign_in_failures').selectAll().where('key', 'in', keys).execute();
  return new Map(
    rows.map((row) => [
      row.key,
      { failures: row.failures, lastAt: row.last_at.getTime(), lockedUntil: row.locked_until.getTime() },
    ]),
  );
}

/** Adds to one key's state under its row lock, so that failures at once are all counted. Call in a transaction. */
export async function updateFailures(
  db: Db,
  key: string,
  change: (state: ThrottleState | null) => ThrottleState,
): Promise<void> {
  const epoch = new Date(0);
  await db
    .insertInto('sign_in_failures')
    .values({ key, failures: 0, last_at: epoch, locked_until: epoch })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  const row = await db
    .selectFrom('sign_in_failures')
    .selectAll()
    .where('key', '=', key)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const before =
    row.failures === 0
      ? null
      : { failures: row.failures, lastAt: row.last_at.getTime(), lockedUntil: row.locked_until.getTime() };
  const state = change(before);
  await db
    .updateTable('sign_in_failures')
    .set({ failures: state.failures, last_at: new Date(state.lastAt), locked_until: new Date(state.lockedUntil) })
    .where('key', '=', key)
    .execute();
}

export async function clearFailures(db: Db, key: string): Promise<void> {
  await db.deleteFrom('sign_in_failures').where('key', '=', key).execute();
}

export async function deleteOldFailures(db: Db, before: number): Promise<void> {
  await db
    .deleteFrom('sign_in_failures')
    .where('last_at', '<', new Date(before))
    .where('locked_until', '<', new Date(before))
    .execute();
}
