import { sql } from 'kysely';
import { LONGEST_WINDOW_MS } from '../aggregate/usage-row.ts';
import type { Sql } from './sql.ts';

/** What gateways and the runtime said of one instance over the same time, ms. */
export interface SourceMeasure {
  readonly service: string;
  readonly revisionName: string;
  readonly instanceId: string;
  readonly busyMs: number;
  /** Not paused. */
  readonly aliveMs: number;
  /** Busy while the runtime says that it did not exist. */
  readonly outsideMs: number;
  /** Busy while the runtime says that it was paused. */
  readonly pausedMs: number;
}

export async function comparedUntil(db: Sql, project: string): Promise<number | null> {
  const found = await sql<{ until: number }>`
    SELECT until::float8 AS until FROM usage_comparison WHERE project = ${project}`.execute(db);
  return found.rows[0]?.until ?? null;
}

export async function setComparedUntil(db: Sql, project: string, until: number): Promise<void> {
  await sql`INSERT INTO usage_comparison (project, until) VALUES (${project}, ${until}::int8)
    ON CONFLICT (project) DO UPDATE SET until = excluded.until`.execute(db);
}

/** Instances that were busy in windows that start from `from` to before `until` (Unix ms). */
export async function measureSources(db: Sql, project: string, from: number, until: number): Promise<SourceMeasure[]> {
  const found = await sql<SourceMeasure>`
    WITH busy AS (
      SELECT service, revision_name, instance_id, range_agg(span) AS spans
      FROM usage, unnest(busy) AS span
      WHERE project = ${project} AND kind = 'requests' AND instance_id <> ''
        AND window_start >= ${from}::int8 AND window_start < ${until}::int8
      GROUP BY service, revision_name, instance_id),
    life AS (
      SELECT instance_id, range_agg(span) FILTER (WHERE state <> 'paused') AS alive,
        range_agg(span) FILTER (WHERE state = 'paused') AS paused
      FROM usage, unnest(busy) AS span
      WHERE project = ${project} AND kind = 'lifetime' AND window_end >= ${from}::int8
        AND window_start < ${until}::int8 AND window_start >= ${from - LONGEST_WINDOW_MS}::int8
        AND instance_id IN (SELECT instance_id FROM busy)
      GROUP BY instance_id),
    both_said AS (
      SELECT service, revision_name, instance_id, spans, coalesce(alive, '{}') AS alive, coalesce(paused, '{}') AS paused
      FROM busy LEFT JOIN life USING (instance_id))
    SELECT service, revision_name AS "revisionName", instance_id AS "instanceId",
      (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(spans) AS r)::float8 AS "busyMs",
      (SELECT coalesce(sum(upper(r) - lower(r)), 0)
        FROM unnest(alive * int8multirange(int8range(${from}::int8, ${until}::int8))) AS r)::float8 AS "aliveMs",
      (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(spans - alive - paused) AS r)::float8 AS "outsideMs",
      (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest((spans * paused) - alive) AS r)::float8 AS "pausedMs"
    FROM both_said ORDER BY instance_id`.execute(db);
  return found.rows;
}

/** Projects with usage that was not compared yet and is older than `settled` (Unix ms). */
export async function projectsToCompare(db: Sql, settled: number): Promise<string[]> {
  const found = await sql<{ project: string }>`
    SELECT DISTINCT t.project FROM instance_total t LEFT JOIN usage_comparison c USING (project)
    WHERE t.usage_until > coalesce(c.until, 0) AND t.day >= ${settled - 2 * 86_400_000}::int8
      AND coalesce(c.until, 0) < ${settled}::int8
    ORDER BY t.project`.execute(db);
  return found.rows.map(({ project }) => project);
}
