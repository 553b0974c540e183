import { sql } from 'kysely';
import type { Db } from './tables.ts';

export interface StoredKey {
  readonly kid: string;
  readonly publicJwk: unknown;
  readonly sealedPrivateKey: Buffer;
  readonly createdAt: number;
}

/** Two replicas that start at once make one key, not two. */
export async function lockKeys(db: Db): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('skyrun.identity.signing_keys', 0))`.execute(db);
}

export async function readKeys(db: Db): Promise<StoredKey[]> {
  const rows = await db.selectFrom('signing_keys').selectAll().orderBy('created_at').execute();
  return rows.map((row) => ({
    kid: row.kid,
    publicJwk: row.public_jwk,
    sealedPrivateKey: row.private_key,
    createdAt: row.created_at.getTime(),
  }));
}

export async function insertKey(db: Db, key: StoredKey): Promise<void> {
  await db
    .insertInto('signing_keys')
    .values({
      kid: key.kid,
      public_jwk: JSON.stringify(key.publicJwk),
      private_key: key.sealedPrivateKey,
      created_at: new Date(key.createdAt),
    })
    .execute();
}

export async function deleteKeys(db: Db, kids: readonly string[]): Promise<void> {
  if (kids.length > 0) await db.deleteFrom('signing_keys').where('kid', 'in', kids).execute();
}
