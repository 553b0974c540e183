import { type EventDraft, Problem, type Secret, type SecretKeyRef } from '@skyrun/contracts';
import { isoTime, newId } from '@skyrun/kit';
import { appendEvents } from '@skyrun/postgres';
import { findSecret, findVersion, lockSecret, secretUsers, versionsOf } from '../store/secrets.ts';
import type { SecretRow, Store, Tables } from '../store/tables.ts';
import { SOURCE, type UseCaseDeps } from '../use-case.ts';
import type { Vault } from './vault.ts';

export interface SecretDeps extends Pick<UseCaseDeps, 'db' | 'clock'> {
  readonly vault: Vault;
}

interface Named {
  readonly project: string;
  readonly name: string;
}

/** @throws Problem `resource.already_exists` */
export async function createSecret(input: Named & { readonly value: string }, deps: SecretDeps): Promise<Secret> {
  const { project, name, value } = input;
  return await deps.db.transaction(async (tx) => {
    const store = tx.kysely<Tables>();
    const row = await store
      .insertInto('secrets')
      .values({
        id: newId('secret', deps.clock),
        project,
        name,
        latest_version: 1,
        created_at: new Date(deps.clock.now()),
      })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) {
      throw new Problem('resource.already_exists', {
        detail: `Project ${project} has a secret ${name} already; give it a new version instead`,
        errors: [{ field: '/name', message: 'is taken' }],
      });
    }
    await writeVersion(store, row, value, deps);
    await appendEvents(tx, SOURCE, [changed(row)], deps.clock);
    return await toSecret(store, row);
  });
}

/** @throws Problem `resource.not_found` */
export async function addSecretVersion(input: Named & { readonly value: string }, deps: SecretDeps): Promise<Secret> {
  return await deps.db.transaction(async (tx) => {
    const store = tx.kysely<Tables>();
    const known = await lockSecret(store, input.project, input.name);
    if (known === undefined) throw notFound(input);
    const row = await store
      .updateTable('secrets')
      .set({ latest_version: known.latest_version + 1 })
      .where('id', '=', known.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await writeVersion(store, row, input.value, deps);
    await appendEvents(tx, SOURCE, [changed(row)], deps.clock);
    return await toSecret(store, row);
  });
}

/** @throws Problem `resource.not_found`, `resource.in_use` */
export async function deleteSecret(input: Named, { db, clock }: SecretDeps): Promise<void> {
  const { project, name } = input;
  await db.transaction(async (tx) => {
    const store = tx.kysely<Tables>();
    const row = await lockSecret(store, project, name);
    if (row === undefined) throw notFound(input);
    const users = await secretUsers(store, project, name);
    if (users.length > 0) {
      throw new Problem('resource.in_use', {
        detail: `Secret ${name} is used by ${users.join(', ')}; deploy without it, or delete that first`,
      });
    }
    await store.deleteFrom('secrets').where('id', '=', row.id).execute();
    const data = { id: row.id, project, name };
    const event = { type: 'skyrun.secret.deleted.v1' as const, subject: `secrets/${project}/${name}`, project, data };
    await appendEvents(tx, SOURCE, [event], clock);
  });
}

/**
 * Values for a container that is about to start.
 * @throws Problem `resource.not_found` with the name and what to do
 */
export async function resolveSecrets(
  { project, references }: { readonly project: string; readonly references: readonly SecretKeyRef[] },
  { db, vault }: SecretDeps,
): Promise<string[]> {
  const store = db.kysely<Tables>();
  const values: string[] = [];
  for (const { name, key } of references) {
    const row = await findSecret(store, project, name);
    if (row === undefined) throw notFound({ project, name });
    const version = key === 'latest' ? row.latest_version : Number(key);
    const found = await findVersion(store, row.id, version);
    if (found === undefined) {
      throw new Problem('resource.not_found', { detail: `secret ${name} has no version ${version}` });
    }
    values.push(vault.open({ sealed: found.sealed, keyId: found.key_id }, { secretId: row.id, version }));
  }
  return values;
}

export async function toSecret(store: Store, row: SecretRow): Promise<Secret> {
  const versions = await versionsOf(store, row.id);
  return {
    id: row.id,
    project: row.project,
    name: row.name,
    latestVersion: row.latest_version,
    versions: versions.map(({ version, created_at }) => ({ version, createdAt: isoTime(created_at.getTime()) })),
    usedBy: await secretUsers(store, row.project, row.name),
    createdAt: isoTime(row.created_at.getTime()),
  };
}

async function writeVersion(store: Store, row: SecretRow, value: string, { vault, clock }: SecretDeps): Promise<void> {
  const version = row.latest_version;
  const { sealed, keyId } = vault.seal(value, { secretId: row.id, version });
  await store
    .insertInto('secret_versions')
    .values({ secret_id: row.id, version, sealed, key_id: keyId, created_at: new Date(clock.now()) })
    .execute();
}

function changed({ id, project, name, latest_version: version }: SecretRow): EventDraft {
  const data = { id, project, name, version };
  return { type: 'skyrun.secret.changed.v1', subject: `secrets/${project}/${name}`, project, data };
}

function notFound({ project, name }: Named): Problem {
  return new Problem('resource.not_found', { detail: `project ${project} has no secret ${name}` });
}
