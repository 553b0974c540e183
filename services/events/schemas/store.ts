import { type DataSchema, type EventSchema, eventSchema } from '@skyrun/contracts';
import { type Selectable, sql } from 'kysely';
import type { Db, EventsTables } from '../store/tables.ts';

export async function newestSchema(db: Db, type: string): Promise<EventSchema | null> {
  const row = await db
    .selectFrom('event_schemas')
    .selectAll()
    .where('type', '=', type)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ? toSchema(row) : null;
}

export async function schemaVersions(db: Db, type: string): Promise<EventSchema[]> {
  const rows = await db
    .selectFrom('event_schemas')
    .selectAll()
    .where('type', '=', type)
    .orderBy('version', 'desc')
    .execute();
  return rows.map(toSchema);
}

/** The newest version of each type, by type; one more than `limit` when there are more. */
export async function newestSchemas(
  db: Db,
  { project, after, limit }: { readonly project: string; readonly after?: string | undefined; readonly limit: number },
): Promise<EventSchema[]> {
  let query = db.selectFrom('event_schemas').selectAll().distinctOn('type').where('project', '=', project);
  if (after !== undefined) query = query.where('type', '>', after);
  const rows = await query
    .orderBy('type')
    .orderBy('version', 'desc')
    .limit(limit + 1)
    .execute();
  return rows.map(toSchema);
}

export interface NewSchema extends Omit<EventSchema, 'registeredAt' | 'schema' | 'example'> {
  readonly schema: DataSchema;
  readonly example?: unknown;
  /** Unix milliseconds. */
  readonly now: number;
}

export async function insertSchema(db: Db, { now, ...given }: NewSchema): Promise<EventSchema> {
  const row = await db
    .insertInto('event_schemas')
    .values({
      type: given.type,
      version: given.version,
      project: given.project,
      summary: given.summary,
      subject: given.subject,
      compatibility: given.compatibility,
      schema: JSON.stringify(given.schema),
      example: given.example === undefined ? null : JSON.stringify(given.example),
      registered_by: given.registeredBy,
      registered_at: new Date(now),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toSchema(row);
}

/** Until the transaction ends, nobody else registers a version of this type. */
export async function lockType(db: Db, type: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('skyrun.events.schema.' || ${type}, 0))`.execute(db);
}

function toSchema(row: Selectable<EventsTables['event_schemas']>): EventSchema {
  return eventSchema.parse({
    type: row.type,
    version: row.version,
    project: row.project,
    summary: row.summary,
    subject: row.subject,
    compatibility: row.compatibility,
    schema: row.schema,
    example: row.example,
    registeredBy: row.registered_by,
    registeredAt: row.registered_at.toISOString(),
  });
}
