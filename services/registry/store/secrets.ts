import { sql } from 'kysely';
import { pageByName } from './page-by-name.ts';
import type { SecretRow, SecretVersionRow, Store } from './tables.ts';

export async function findSecret(store: Store, project: string, name: string): Promise<SecretRow | undefined> {
  return await store
    .selectFrom('secrets')
    .selectAll()
    .where('project', '=', project)
    .where('name', '=', name)
    .executeTakeFirst();
}

/** Like `findSecret`; nobody else gives it a version or deletes it until the transaction ends. */
export async function lockSecret(store: Store, project: string, name: string): Promise<SecretRow | undefined> {
  return await store
    .selectFrom('secrets')
    .selectAll()
    .where('project', '=', project)
    .where('name', '=', name)
    .forUpdate()
    .executeTakeFirst();
}

/** Names of those that there are; none of them is deleted until the transaction ends. */
export async function keepSecrets(store: Store, project: string, names: readonly string[]): Promise<SecretRow[]> {
  if (names.length === 0) return [];
  return await store
    .selectFrom('secrets')
    .selectAll()
    .where('project', '=', project)
    .where('name', 'in', names)
    .orderBy('name')
    .forShare()
    .execute();
}

/** By name. */
export async function listSecrets(
  store: Store,
  project: string,
  after: string | null,
  limit: number,
): Promise<SecretRow[]> {
  const own = store.selectFrom('secrets').selectAll().where('project', '=', project);
  return await pageByName(own, after, limit).execute();
}

/** Newest first, without their values. */
export async function versionsOf(
  store: Store,
  secretId: string,
): Promise<Pick<SecretVersionRow, 'version' | 'created_at'>[]> {
  return await store
    .selectFrom('secret_versions')
    .select(['version', 'created_at'])
    .where('secret_id', '=', secretId)
    .orderBy('version', 'desc')
    .execute();
}

export async function findVersion(
  store: Store,
  secretId: string,
  version: number,
): Promise<SecretVersionRow | undefined> {
  return await store
    .selectFrom('secret_versions')
    .selectAll()
    .where('secret_id', '=', secretId)
    .where('version', '=', version)
    .executeTakeFirst();
}

/** Some versions that another key has sealed; no other process takes the same ones. */
export async function sealedOtherwise(store: Store, keyId: string, limit: number): Promise<SecretVersionRow[]> {
  return await store
    .selectFrom('secret_versions')
    .selectAll()
    .where('key_id', '!=', keyId)
    .orderBy('secret_id')
    .orderBy('version')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
}

/** Services of which a revision names the secret that is wanted, newest or still running. */
export async function secretUsers(store: Store, project: string, name: string): Promise<string[]> {
  const reference = JSON.stringify([{ valueFrom: { secretKeyRef: { name } } }]);
  const rows = await store
    .selectFrom('revisions')
    .innerJoin('services', 'services.id', 'revisions.service_id')
    .select('services.name')
    .distinct()
    .where('revisions.project', '=', project)
    .where('services.deleted_at', 'is', null)
    .where(sql<boolean>`revisions.template->'env' @> ${reference}::jsonb`)
    .where((where) =>
      where.or([
        where('revisions.retired_at', 'is', null),
        where('services.latest_created_id', '=', where.ref('revisions.id')),
        where('services.latest_ready_id', '=', where.ref('revisions.id')),
      ]),
    )
    .orderBy('services.name')
    .execute();
  return rows.map((row) => row.name);
}
