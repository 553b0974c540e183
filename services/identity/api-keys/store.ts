import type { ApiKey } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { Selectable } from 'kysely';
import type { Db, IdentityTables } from '../store/tables.ts';

type Row = Selectable<IdentityTables['api_keys']> & { project: string };

/** Uses closer together than this are one, so that a busy key does not make its row a hot one. */
const USE_GRAIN_MS = 60_000;

export async function insertKey(db: Db, row: Omit<IdentityTables['api_keys'], NullAtFirst>): Promise<boolean> {
  const inserted = await db
    .insertInto('api_keys')
    .values({ ...row, previous_digest: null, previous_until: null, rotated_at: null, last_used_at: null })
    .onConflict((conflict) => conflict.columns(['project_id', 'name']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted) await changed(db);
  return inserted !== undefined;
}
type NullAtFirst = 'previous_digest' | 'previous_until' | 'rotated_at' | 'last_used_at';

export async function findKey(db: Db, project: string, id: string): Promise<ApiKey | null> {
  const row = await keys(db).where('projects.name', '=', project).where('api_keys.id', '=', id).executeTakeFirst();
  return row ? toKey(row) : null;
}

/** Those that have ended, too. */
export async function countKeys(db: Db, projectId: string): Promise<number> {
  const { count } = await db
    .selectFrom('api_keys')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('project_id', '=', projectId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** By name; one more than `limit` when there are more. */
export async function listKeys(
  db: Db,
  page: { readonly project: string; readonly afterName: string | null; readonly limit: number },
): Promise<ApiKey[]> {
  let query = keys(db).where('projects.name', '=', page.project);
  if (page.afterName !== null) query = query.where('api_keys.name', '>', page.afterName);
  const rows = await query
    .orderBy('api_keys.name')
    .limit(page.limit + 1)
    .execute();
  return rows.map(toKey);
}

/** @param graceMs how long what held until now still holds */
export async function replaceDigest(
  db: Db,
  id: string,
  next: { readonly digest: Buffer; readonly hint: string; readonly now: number; readonly graceMs: number },
): Promise<void> {
  const { digest, hint, now, graceMs } = next;
  await db
    .updateTable('api_keys')
    .set(({ ref }) => ({
      digest,
      hint,
      rotated_at: new Date(now),
      previous_digest: graceMs > 0 ? ref('digest') : null,
      previous_until: graceMs > 0 ? new Date(now + graceMs) : null,
    }))
    .where('id', '=', id)
    .execute();
  await changed(db);
}

export async function deleteKey(db: Db, id: string): Promise<void> {
  await db.deleteFrom('api_keys').where('id', '=', id).execute();
  await changed(db);
}

export interface HeldKey {
  readonly digest: string;
  readonly key: ApiKey;
  /** Until when this digest holds, Unix milliseconds; null: without end. */
  readonly until: number | null;
}

/** Every digest that holds at `now`; or the one that is asked for. */
export async function heldKeys(db: Db, now: number, digest?: Buffer): Promise<HeldKey[]> {
  let query = keys(db);
  if (digest !== undefined) {
    query = query.where(({ eb, or }) => or([eb('digest', '=', digest), eb('previous_digest', '=', digest)]));
  }
  const rows = await query.execute();
  return rows.flatMap((row) => {
    const key = toKey(row);
    const end = row.expires_at?.getTime() ?? null;
    const before = Math.min(row.previous_until?.getTime() ?? 0, end ?? Number.POSITIVE_INFINITY);
    const both = [
      { digest: row.digest, key, until: end },
      ...(row.previous_digest === null ? [] : [{ digest: row.previous_digest, key, until: before }]),
    ];
    return both
      .filter((one) => (digest === undefined || one.digest.equals(digest)) && (one.until === null || one.until > now))
      .map((one) => ({ ...one, digest: one.digest.toString('hex') }));
  });
}

/** To be read before the keys: what changes in between is then seen as a change at the next time. */
export async function keysVersion(db: Db): Promise<string> {
  const row = await db.selectFrom('api_keys_version').select('version').executeTakeFirst();
  return String(row?.version ?? '');
}

export async function markUsed(db: Db, ids: readonly string[], now: number): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable('api_keys')
    .set({ last_used_at: new Date(now) })
    .where('id', 'in', ids)
    .where(({ eb, or }) => or([eb('last_used_at', 'is', null), eb('last_used_at', '<', new Date(now - USE_GRAIN_MS))]))
    .execute();
}

function keys(db: Db) {
  return db
    .selectFrom('api_keys')
    .innerJoin('projects', 'projects.id', 'api_keys.project_id')
    .selectAll('api_keys')
    .select('projects.name as project');
}

/** Seen together with the change, at its commit. */
async function changed(db: Db): Promise<void> {
  await db
    .updateTable('api_keys_version')
    .set(({ eb }) => ({ version: eb('version', '+', '1') }))
    .execute();
}

function toKey(row: Row): ApiKey {
  const time = (date: Date | null) => (date === null ? null : isoTime(date.getTime()));
  return {
    id: row.id,
    project: row.project,
    name: row.name,
    role: row.role,
    hint: row.hint,
    createdBy: row.created_by,
    createdAt: isoTime(row.created_at.getTime()),
    expiresAt: time(row.expires_at),
    rotatedAt: time(row.rotated_at),
    previousUntil: time(row.previous_until),
    lastUsedAt: time(row.last_used_at),
  };
}
