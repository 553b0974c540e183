import { sql } from 'kysely';
import type { StoredUsageRow } from '../aggregate/usage-row.ts';
import type { LineSource, LineUsage } from '../calculate/line-usage.ts';
import type { BillingMode } from '../prices/price-list.ts';
import type { Period } from './accounts.ts';
import type { Sql } from './sql.ts';
import { decodeUsage, type UsageRecord, usageColumns } from './usage.ts';

export interface UsagePage {
  readonly service: string | null;
  /** Only rows that count for this period. */
  readonly period: Period | null;
  /** Only rows that this line of the period's invoice sums up. */
  readonly line?: LineUsage | null;
  /** The last row of the page before. */
  readonly after: { readonly windowStart: number; readonly seq: number } | null;
  readonly limit: number;
}

/** Usage rows, newest window first. */
export async function listUsage(
  db: Sql,
  project: string,
  chain: readonly Period[],
  { service, period, line, after, limit }: UsagePage,
): Promise<StoredUsageRow[]> {
  const found = await sql<UsageRecord>`
    SELECT ${usageColumns} FROM usage u
    WHERE u.project = ${project}
      AND (${service}::text IS NULL OR u.service = ${service}::text)
      AND ${period ? countsFor(period, chain) : sql`true`}
      AND ${line && period ? behindLine(line, period) : sql`true`}
      AND ${after ? sql`(u.window_start, u.seq) < (${after.windowStart}::int8, ${after.seq}::int8)` : sql`true`}
    ORDER BY u.window_start DESC, u.seq DESC LIMIT ${limit}`.execute(db);
  return found.rows.map(decodeUsage);
}

function behindLine({ kind, late, sources }: LineUsage, { startsAt, ordinal }: Period) {
  // As in slotOf: the first period has no earlier one whose usage could be late.
  const isLate = ordinal > 1 ? sql`u.window_start < ${startsAt}::int8` : sql`false`;
  return sql`${ofKind(kind)}
    AND (${isLate}) = ${late !== null}::bool
    AND ${late === null ? sql`true` : sql`u.window_start >= ${late.from}::int8 AND u.window_start < ${late.until}::int8`}
    AND (u.billing_mode, u.price_list) IN (SELECT * FROM unnest(
      ${sources.map((source) => source.mode)}::text[], ${sources.map((source) => source.priceList)}::text[]))`;
}

function ofKind(kind: LineUsage['kind']) {
  if (kind !== 'serving') return sql`u.kind = ${kind}`;
  return sql`(u.kind = 'requests' OR u.state IN ('starting', 'stopping'))`;
}

/** Modes and price lists under which a service's rows of a period count; `sent` leaves out rows that sent nothing. */
export async function usageSources(
  db: Sql,
  project: string,
  chain: readonly Period[],
  { service, period, kind, sent }: { service: string; period: Period; kind: LineUsage['kind']; sent: boolean },
): Promise<LineSource[]> {
  const found = await sql<{ mode: BillingMode; priceList: string }>`
    SELECT DISTINCT u.billing_mode AS mode, u.price_list AS "priceList" FROM usage u
    WHERE u.project = ${project} AND u.service = ${service} AND ${ofKind(kind)} AND ${countsFor(period, chain)}
      AND ${sent ? sql`u.bytes_out > 0` : sql`true`}`.execute(db);
  return found.rows;
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
