import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { Logger } from '@skyrun/kit';
import type pg from 'pg';
import { PostgresError } from './errors.ts';

const BASE = new URL('./migrations/', import.meta.url);

export interface Migration {
  /** `base/0001_outbox_inbox.sql` or `0001_services.sql`. */
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

export interface MigrateOptions {
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly folder: URL;
  readonly logger: Logger;
}

/** Brings one schema up to date. Processes that start together wait for each other on an advisory lock. */
export async function migrate({ pool, schema, folder, logger }: MigrateOptions): Promise<void> {
  const wanted = [...(await readMigrations(BASE, 'base/')), ...(await readMigrations(folder, ''))];
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(`select pg_advisory_lock(hashtextextended('skyrun.migrate.' || $1, 0))`, [schema]);
    await client.query(`create schema if not exists ${client.escapeIdentifier(schema)}`);
    await client.query(`create table if not exists schema_migrations (
      name text primary key, checksum text not null, applied_at timestamptz not null default now())`);
    const applied = await client.query<{ name: string; checksum: string }>(
      'select name, checksum from schema_migrations',
    );
    for (const migration of pendingMigrations(wanted, applied.rows)) {
      await apply(client, migration);
      logger.info({ schema, migration: migration.name }, 'migration applied');
    }
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    // Closing the session is what gives the lock back whatever happened.
    await client.query('select pg_advisory_unlock_all()').catch((error: Error) => {
      broken ??= error;
    });
    client.release(broken);
  }
}

/** @throws PostgresError `postgres.migration_changed`, `postgres.migration_unknown` */
export function pendingMigrations(
  wanted: readonly Migration[],
  applied: readonly { readonly name: string; readonly checksum: string }[],
): Migration[] {
  const checksums = new Map(applied.map(({ name, checksum }) => [name, checksum]));
  const names = new Set(wanted.map(({ name }) => name));
  for (const { name } of applied) {
    if (names.has(name)) continue;
    throw new PostgresError(
      'postgres.migration_unknown',
      `migration ${name} was applied but is not in the code: the database is newer; run the newer version`,
    );
  }
  return wanted.filter(({ name, checksum }) => {
    const known = checksums.get(name);
    if (known === undefined) return true;
    if (known === checksum) return false;
    throw new PostgresError(
      'postgres.migration_changed',
      `migration ${name} was changed after it had been applied; restore it and add a new one`,
    );
  });
}

async function readMigrations(folder: URL, prefix: string): Promise<Migration[]> {
  const base = folder.href.endsWith('/') ? folder : new URL(`${folder.href}/`);
  const files = (await readdir(base)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file) => {
      if (!/^\d{4}_[a-z0-9_]+\.sql$/.test(file)) {
        throw new PostgresError('postgres.migration_name', `migration ${file}: expected NNNN_name.sql`);
      }
      const sql = await readFile(new URL(file, base), 'utf8');
      return { name: prefix + file, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function apply(client: pg.PoolClient, { name, sql, checksum }: Migration): Promise<void> {
  try {
    await client.query('begin');
    await client.query(sql);
    await client.query('insert into schema_migrations (name, checksum) values ($1, $2)', [name, checksum]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    const detail = error instanceof Error ? error.message : String(error);
    throw new PostgresError('postgres.migration_failed', `migration ${name}: ${detail}`, error);
  }
}
