import { sql } from 'kysely';
import type { InstanceTotal } from '../aggregate/measure.ts';
import type { BillingMode } from '../prices/price-list.ts';
import type { Sql } from './sql.ts';

export interface ProjectTotals {
  readonly project: string;
  readonly totals: readonly InstanceTotal[];
}

/** Adds differences to the running totals. */
export async function addTotals(db: Sql, changes: readonly ProjectTotals[]): Promise<void> {
  // A fixed order of keys, so that two writers of one project could never wait for each other.
  const rows = changes.flatMap(({ project, totals }) => totals.map((total) => ({ project, ...total })));
  if (rows.length === 0) return;
  const column = <Value>(of: (row: (typeof rows)[number]) => Value) => rows.map(of);
  await sql`
    INSERT INTO instance_total AS old (project, ordinal, late, month, price_list, day, service, revision_name, instance_id,
      billing_mode, cpu_milli, memory_mib, busy_ms, idle_ms, alive_ms, paused_ms, requests, bytes_out, request_rows, lifetime_rows,
      usage_until)
    SELECT * FROM unnest(
      ${column((row) => row.project)}::text[], ${column((row) => row.slot.ordinal)}::int4[],
      ${column((row) => row.slot.late)}::bool[], ${column((row) => row.slot.month)}::int8[],
      ${column((row) => row.slot.priceList)}::text[], ${column((row) => row.slot.day)}::int8[],
      ${column((row) => row.service)}::text[],
      ${column((row) => row.revisionName)}::text[], ${column((row) => row.instanceId)}::text[],
      ${column((row) => row.billingMode)}::text[], ${column((row) => row.cpuMilli)}::int4[],
      ${column((row) => row.memoryMib)}::int4[], ${column((row) => row.busyMs)}::int8[],
      ${column((row) => row.idleMs)}::int8[], ${column((row) => row.aliveMs)}::int8[],
      ${column((row) => row.pausedMs)}::int8[],
      ${column((row) => row.requests)}::int8[], ${column((row) => row.bytesOut)}::int8[],
      ${column((row) => row.requestRows)}::int8[], ${column((row) => row.lifetimeRows)}::int8[],
      ${column((row) => row.usageUntil)}::int8[])
    ON CONFLICT (project, ordinal, late, month, price_list, day, service, revision_name, instance_id, billing_mode, cpu_milli,
      memory_mib)
    DO UPDATE SET busy_ms = old.busy_ms + excluded.busy_ms, idle_ms = old.idle_ms + excluded.idle_ms,
      alive_ms = old.alive_ms + excluded.alive_ms, paused_ms = old.paused_ms + excluded.paused_ms,
      requests = old.requests + excluded.requests,
      bytes_out = old.bytes_out + excluded.bytes_out, request_rows = old.request_rows + excluded.request_rows,
      lifetime_rows = old.lifetime_rows + excluded.lifetime_rows,
      usage_until = greatest(old.usage_until, excluded.usage_until)`.execute(db);
}

interface TotalRecord extends Omit<InstanceTotal, 'slot'> {
  readonly ordinal: number;
  readonly late: boolean;
  readonly month: number;
  readonly priceList: string;
  readonly billingMode: BillingMode;
}

/**
 * What a bill of period `ordinal` needs: its totals, those of earlier periods in the same months (free tier, egress
 * tiers) and earlier life of the same instances (minimum time). Request-based instances come summed up by size, as
 * their price is linear; instance-based ones one by one.
 */
export async function loadTotals(db: Sql, project: string, ordinal: number): Promise<InstanceTotal[]> {
  const found = await sql<TotalRecord>`
    WITH own AS (SELECT DISTINCT month FROM instance_total WHERE project = ${project} AND ordinal = ${ordinal}),
    kept AS (
      SELECT t.*, CASE billing_mode WHEN 'instance' THEN instance_id ELSE '' END AS one,
        CASE billing_mode WHEN 'instance' THEN revision_name ELSE '' END AS of_revision
      FROM instance_total t
      WHERE project = ${project} AND ordinal <= ${ordinal}
        AND (month IN (SELECT month FROM own)
          OR (billing_mode = 'instance' AND instance_id IN (
            SELECT instance_id FROM instance_total
            WHERE project = ${project} AND ordinal = ${ordinal} AND billing_mode = 'instance')))
    )
    SELECT ordinal, late, month::float8 AS month, price_list AS "priceList", service, of_revision AS "revisionName",
      one AS "instanceId", billing_mode AS "billingMode", cpu_milli AS "cpuMilli", memory_mib AS "memoryMib",
      sum(busy_ms)::float8 AS "busyMs", sum(idle_ms)::float8 AS "idleMs", sum(alive_ms)::float8 AS "aliveMs",
      sum(paused_ms)::float8 AS "pausedMs",
      sum(requests)::float8 AS requests, sum(bytes_out)::float8 AS "bytesOut", sum(request_rows)::float8 AS "requestRows",
      sum(lifetime_rows)::float8 AS "lifetimeRows", max(usage_until)::float8 AS "usageUntil"
    FROM kept
    GROUP BY ordinal, late, month, price_list, service, of_revision, one, billing_mode, cpu_milli, memory_mib`.execute(
    db,
  );
  return found.rows.map(({ ordinal: period, late, month, priceList, ...total }) => ({
    ...total,
    slot: { ordinal: period, late, month, priceList, day: month },
  }));
}

/**
 * Totals by day from `fromDay` to before `untilDay` (Unix ms), whatever period billed them, in one slot order: ordinal 1,
 * not late. Summed up by size like those of a bill unless `byInstance`.
 */
export async function loadDays(
  db: Sql,
  project: string,
  { fromDay, untilDay, byInstance }: { fromDay: number; untilDay: number; byInstance: boolean },
): Promise<InstanceTotal[]> {
  const found = await sql<Omit<TotalRecord, 'ordinal' | 'late'> & { day: number }>`
    WITH days AS (
      SELECT t.*, CASE WHEN ${byInstance}::bool OR billing_mode = 'instance' THEN instance_id ELSE '' END AS one,
        CASE WHEN ${byInstance}::bool OR billing_mode = 'instance' THEN revision_name ELSE '' END AS of_revision
      FROM instance_total t WHERE project = ${project} AND day >= ${fromDay}::int8 AND day < ${untilDay}::int8)
    SELECT month::float8 AS month, day::float8 AS day, price_list AS "priceList", service,
      of_revision AS "revisionName", one AS "instanceId", billing_mode AS "billingMode", cpu_milli AS "cpuMilli",
      memory_mib AS "memoryMib", sum(busy_ms)::float8 AS "busyMs", sum(idle_ms)::float8 AS "idleMs",
      sum(alive_ms)::float8 AS "aliveMs",
      sum(paused_ms)::float8 AS "pausedMs", sum(requests)::float8 AS requests, sum(bytes_out)::float8 AS "bytesOut",
      sum(request_rows)::float8 AS "requestRows", sum(lifetime_rows)::float8 AS "lifetimeRows",
      max(usage_until)::float8 AS "usageUntil"
    FROM days GROUP BY month, day, price_list, service, of_revision, one, billing_mode, cpu_milli, memory_mib`.execute(
    db,
  );
  return found.rows.map(({ month, day, priceList, ...total }) => ({
    ...total,
    slot: { ordinal: 1, late: false, month, priceList, day },
  }));
}
