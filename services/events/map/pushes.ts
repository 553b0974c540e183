import { pushFilter } from '@skyrun/contracts';
import { sql } from 'kysely';
import type { Db } from '../store/tables.ts';
import type { PushSum } from './service-map.ts';

/** What the push subscriptions of a project have delivered since a time (Unix milliseconds), one sum each. */
export async function pushSums(db: Db, project: string, since: number): Promise<PushSum[]> {
  const { rows } = await sql<{
    name: string;
    destination: string;
    filter: unknown;
    delivered: string;
    failed: string;
    mean: number | null;
  }>`
    SELECT s.name, s.destination, s.filter,
      count(*) FILTER (WHERE tries.status BETWEEN 200 AND 299) AS delivered,
      count(tries.at) FILTER (WHERE tries.status IS NULL OR tries.status NOT BETWEEN 200 AND 299) AS failed,
      avg(tries.ms)::float8 AS mean
    FROM subscriptions s
    LEFT JOIN LATERAL (
      SELECT (try->>'at')::timestamptz AS at, (try->>'status')::int AS status, (try->>'durationMs')::float8 AS ms
      FROM deliveries d, jsonb_array_elements(d.history) AS try
      WHERE d.subscription_id = s.id AND coalesce(d.done_at, d.due_at) > ${new Date(since)}
    ) AS tries ON tries.at > ${new Date(since)}
    WHERE s.project = ${project}
    GROUP BY s.id, s.name, s.destination, s.filter`.execute(db);
  return rows.map(({ name, destination, filter, delivered, failed, mean }) => ({
    name,
    host: new URL(destination).host,
    types: pushFilter.parse(filter).types,
    delivered: Number(delivered),
    failed: Number(failed),
    meanMs: mean === null ? null : Math.round(mean),
  }));
}
