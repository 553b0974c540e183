import { sql } from 'kysely';
import type { StoredUsageRow } from '../aggregate/usage-row.ts';
import type { Period } from './accounts.ts';
import type { Sql } from './sql.ts';
import { decodeUsage, type UsageRecord, usageColumns } from './usage.ts';

export interface UsagePage {
  readonly service: string | null;
  /** Only rows that count for this period. */
  readonly period: Period | null;
  /** The last row of the page before. */
  readonly after: { readonly windowStart: number; readonly seq: number } | null;
  readonly limit: number;
}

/** Usage rows, newest window first. */
export async function listUsage(
  db: Sql,
  project: string,
  chain: readonly Period[],
  { service, period, after, limit }: UsagePage,
): Promise<StoredUsageRow[]> {
  const found = await sql<UsageRecord>`
    SELECT ${usageColumns} FROM usage u
    WHERE u.project = ${project}
      AND (${service}::text IS NULL OR u.service = ${service}::text)
      AND ${period ? countsFor(period, chain) : sql`true`}
      AND ${after ? sql`(u.window_start, u.seq) < (${after.windowStart}::int8, ${after.seq}::int8)` : sql`true`}
    ORDER BY u.window_start DESC, u.seq DESC LIMIT ${limit}`.execute(db);
  return found.rows.map(decodeUsage);
}

/** The rule of `periodOf` (aggregate/slot.ts) as a condition: taken by this period and by none before it. */
function countsFor(period: Period, chain: readonly Period[]) {
  const previous = chain.findLast((one) => one.ordinal < period.ordinal);
  return sql`(${taken(period)} AND NOT ${previous ? taken(previous) : sql`false`})`;
}

/**
 * Taken by this period or an earlier one; ends and closings ascend along the chain, so these sets contain each other.
 */
export function taken({ endsAt, closedSeq }: Period) {
  return sql`(${endsAt === null ? sql`true` : sql`u.window_start < ${endsAt}::int8`}
    AND ${closedSeq === null ? sql`true` : sql`u.seq <= ${closedSeq}::int8`})`;
}
