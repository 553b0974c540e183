import type { Database } from '@skyrun/postgres';
import { sql } from 'kysely';
import type { OrchestratorTables } from './tables.ts';

const HOUR_MS = 3_600_000;
/** Ended instances; their history is in the event log. */
const INSTANCES_MS = 24 * HOUR_MS;
const DECISIONS_MS = 7 * 24 * HOUR_MS;
const STARTS_MS = 7 * 24 * HOUR_MS;
/** The longest span that metrics can be asked for, and a little. */
const METRICS_MS = 1.1 * HOUR_MS;

/** Verdicts are kept as long as their revision is desired. */
export async function deleteExpired(db: Database, now: number, desired: readonly string[]): Promise<void> {
  const tables = db.kysely<OrchestratorTables>();
  const before = (age: number) => new Date(now - age);
  await tables.deleteFrom('instances').where('ended_at', '<', before(INSTANCES_MS)).execute();
  await sql`
    DELETE FROM revisions
    WHERE updated_at < ${before(INSTANCES_MS)} AND revision_id <> ALL (${desired})`.execute(tables);
  await tables.deleteFrom('decisions').where('at', '<', before(DECISIONS_MS)).execute();
  await tables.deleteFrom('starts').where('at', '<', before(STARTS_MS)).execute();
  await tables.deleteFrom('metrics').where('at', '<', before(METRICS_MS)).execute();
}
