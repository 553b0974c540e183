import type { AnyEvent } from '@skyrun/contracts';
import { sql } from 'kysely';
import type { Partition } from '../log/partitions.ts';
import type { Db } from './tables.ts';

/** Told of after each append, at commit. */
export const LOG_CHANNEL = 'skyrun_event_log';

/**
 * Appends events in their order; those that are there already are passed over. Call in a transaction.
 * The lock is held until commit, so positions become visible in ascending order: that is what readers rely on.
 * @returns how many were new
 */
export async function appendToLog(db: Db, events: readonly AnyEvent[]): Promise<number> {
  if (events.length === 0) return 0;
  // The notification goes out at commit; with the lock it costs no round trip of its own, and waking for nothing is cheap.
  await sql`
    SELECT pg_advisory_xact_lock(hashtextextended('skyrun.events.log', 0)), pg_notify(${LOG_CHANNEL}, '')`.execute(db);
  const result = await sql`
    INSERT INTO log (id, source, type, subject, project, time, event)
    SELECT id, source, type, subject, project, time, event
    FROM unnest(
      ${events.map((event) => event.id)}::text[],
      ${events.map((event) => event.source)}::text[],
      ${events.map((event) => event.type)}::text[],
      ${events.map((event) => event.subject)}::text[],
      ${events.map((event) => event.project ?? null)}::text[],
      ${events.map((event) => timeOf(event))}::timestamptz[],
      ${events.map((event) => JSON.stringify(event))}::jsonb[]
    ) WITH ORDINALITY AS fresh (id, source, type, subject, project, time, event, place)
    ORDER BY place
    ON CONFLICT (id, source, time) DO NOTHING`.execute(db);
  return Number(result.numAffectedRows ?? 0n);
}

/** Milliseconds are what a cursor can name, so no finer time is kept in the column; the event keeps its own. */
function timeOf(event: AnyEvent): string {
  return new Date(Date.parse(event.time)).toISOString();
}

/** Names come from `partitionOf` and hold digits only. */
export async function ensurePartitions(db: Db, partitions: readonly Partition[]): Promise<void> {
  for (const { name, from, to } of partitions) {
    const [start, end] = [new Date(from).toISOString(), new Date(to).toISOString()];
    await sql`
      CREATE TABLE IF NOT EXISTS ${sql.table(name)} PARTITION OF log
      FOR VALUES FROM (${sql.lit(start)}) TO (${sql.lit(end)})`.execute(db);
  }
}

export async function partitionNames(db: Db): Promise<string[]> {
  const result = await sql<{ name: string }>`
    SELECT child.relname AS name
    FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
    WHERE inhparent = 'log'::regclass ORDER BY 1`.execute(db);
  return result.rows.map((row) => row.name);
}

export async function dropPartition(db: Db, name: string): Promise<void> {
  await sql`DROP TABLE IF EXISTS ${sql.table(name)}`.execute(db);
}
