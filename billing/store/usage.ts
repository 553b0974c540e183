import { sql } from 'kysely';
import { mergeSpans, type Span } from '../aggregate/spans.ts';
import { LONGEST_WINDOW_MS, type NewUsageRow, type StoredUsageRow, usageKey } from '../aggregate/usage-row.ts';
import type { BillingMode } from '../prices/price-list.ts';
import type { Sql } from './sql.ts';

/** Inserts rows that are not there yet; returns the keys of those that were new, with their order of arrival. */
export async function insertUsage(
  db: Sql,
  rows: readonly NewUsageRow[],
  receivedAt: number,
): Promise<{ project: string; key: string; seq: number }[]> {
  const column = <Value>(of: (row: NewUsageRow) => Value) => rows.map(of);
  const inserted = await sql<{ project: string; key: string; seq: number }>`
    INSERT INTO usage (project, key, fingerprint, kind, service, revision_name, instance_id, window_start, window_end,
      billing_mode, cpu_milli, memory_mib, requests, bytes_in, bytes_out, busy, min_instance, state,
      price_list, received_at)
    SELECT project, key, decode(fingerprint, 'hex'), kind, service, revision_name, instance_id, window_start, window_end,
      billing_mode, cpu_milli, memory_mib, requests, bytes_in, bytes_out, busy::int8multirange, min_instance, state,
      price_list, ${receivedAt}::int8
    FROM unnest(
      ${column((row) => row.project)}::text[], ${column((row) => row.key)}::text[],
      ${column((row) => row.fingerprint)}::text[], ${column((row) => row.kind)}::text[],
      ${column((row) => row.service)}::text[], ${column((row) => row.revisionName)}::text[],
      ${column((row) => row.instanceId)}::text[], ${column((row) => row.windowStart)}::int8[],
      ${column((row) => row.windowEnd)}::int8[], ${column((row) => row.billingMode)}::text[],
      ${column((row) => row.cpuMilli)}::int4[], ${column((row) => row.memoryMib)}::int4[],
      ${column((row) => row.requests)}::int8[], ${column((row) => row.bytesIn)}::int8[],
      ${column((row) => row.bytesOut)}::int8[], ${column((row) => formatSpans(row.busy))}::text[],
      ${column((row) => row.minInstance)}::bool[], ${column((row) => row.state)}::text[],
      ${column((row) => row.priceList)}::text[]
    ) AS fresh (project, key, fingerprint, kind, service, revision_name, instance_id, window_start, window_end,
      billing_mode, cpu_milli, memory_mib, requests, bytes_in, bytes_out, busy, min_instance, state, price_list)
    ON CONFLICT (project, key) DO NOTHING
    RETURNING project, key, seq::float8 AS seq`.execute(db);
  return inserted.rows;
}

/** Fingerprints of the rows that are there, as hex; by `project key`. */
export async function fingerprintsOf(
  db: Sql,
  rows: readonly { project: string; key: string }[],
): Promise<Map<string, string>> {
  if (rows.length === 0) return new Map();
  const found = await sql<{ project: string; key: string; fingerprint: string }>`
    SELECT u.project, u.key, encode(u.fingerprint, 'hex') AS fingerprint
    FROM unnest(${rows.map((row) => row.project)}::text[], ${rows.map((row) => row.key)}::text[]) AS asked (project, key)
    JOIN usage u USING (project, key)`.execute(db);
  return new Map(found.rows.map((row) => [usageKey(row), row.fingerprint]));
}

export interface InstanceWindow {
  readonly project: string;
  readonly instanceId: string;
  readonly window: Span;
}

/** Rows whose window overlaps one of `windows` on the same instance and that came before `beforeSeq`; each once. */
export async function overlappingUsage(
  db: Sql,
  windows: readonly InstanceWindow[],
  beforeSeq: number,
): Promise<StoredUsageRow[]> {
  if (windows.length === 0) return [];
  const found = await sql<UsageRecord>`
    SELECT ${usageColumns}
    FROM unnest(
      ${windows.map((one) => one.project)}::text[], ${windows.map((one) => one.instanceId)}::text[],
      ${windows.map((one) => one.window[0])}::int8[], ${windows.map((one) => one.window[1])}::int8[]
    ) AS near (project, instance_id, low, high)
    JOIN usage u ON u.project = near.project AND u.instance_id = near.instance_id
      AND u.window_end > near.low AND u.window_end < near.high + ${LONGEST_WINDOW_MS}::int8 AND u.window_start < near.high
    WHERE u.seq < ${beforeSeq}::int8`.execute(db);
  return [...new Map(found.rows.map((row) => [row.seq, row])).values()].map(decodeUsage);
}

/** Windows of the rows of a project that start at or after `fromMs`, joined per instance. */
export async function windowsFrom(db: Sql, project: string, fromMs: number): Promise<InstanceWindow[]> {
  const found = await sql<{ instanceId: string; low: number; high: number }>`
    SELECT instance_id AS "instanceId", window_start::float8 AS low, window_end::float8 AS high
    FROM usage WHERE project = ${project} AND window_start >= ${fromMs}::int8`.execute(db);
  const windows = new Map<string, Span[]>();
  for (const { instanceId, low, high } of found.rows) {
    const spans = windows.get(instanceId);
    if (spans) spans.push([low, high]);
    else windows.set(instanceId, [[low, high]]);
  }
  return [...windows].flatMap(([instanceId, spans]) =>
    mergeSpans(spans).map((window) => ({ project, instanceId, window })),
  );
}

export async function hasUsage(db: Sql, project: string): Promise<boolean> {
  const found = await sql`SELECT 1 FROM usage WHERE project = ${project} LIMIT 1`.execute(db);
  return found.rows.length > 0;
}

/** The last place in the order of arrival that is taken; exact for a project whose account is locked. */
export async function lastSeq(db: Sql): Promise<number> {
  const found = await sql<{ seq: number }>`
    SELECT (CASE WHEN is_called THEN last_value ELSE 0 END)::float8 AS seq FROM usage_seq_seq`.execute(db);
  return found.rows[0]?.seq ?? 0;
}

export interface RejectedUsage {
  readonly source: string;
  readonly eventId: string;
  readonly project: string;
  readonly key: string;
  readonly problem: string;
  readonly detail: string;
  readonly data: unknown;
}

/** Keeps what could not be billed; a redelivery changes nothing. */
export async function insertRejected(db: Sql, rejected: readonly RejectedUsage[], receivedAt: number): Promise<void> {
  if (rejected.length === 0) return;
  await sql`
    INSERT INTO rejected_usage (source, event_id, project, key, problem, detail, data, received_at)
    SELECT source, event_id, project, key, problem, detail, data::jsonb, ${receivedAt}::int8
    FROM unnest(
      ${rejected.map((one) => one.source)}::text[], ${rejected.map((one) => one.eventId)}::text[],
      ${rejected.map((one) => one.project)}::text[], ${rejected.map((one) => one.key)}::text[],
      ${rejected.map((one) => one.problem)}::text[], ${rejected.map((one) => one.detail)}::text[],
      ${rejected.map((one) => JSON.stringify(one.data))}::text[]
    ) AS fresh (source, event_id, project, key, problem, detail, data)
    ON CONFLICT DO NOTHING`.execute(db);
}

export interface UsageRecord {
  readonly seq: number;
  readonly project: string;
  readonly key: string;
  readonly kind: 'requests' | 'lifetime';
  readonly service: string;
  readonly revisionName: string;
  readonly instanceId: string;
  readonly windowStart: number;
  readonly windowEnd: number;
  readonly billingMode: BillingMode;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly requests: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly busy: string;
  readonly minInstance: boolean;
  readonly state: StoredUsageRow['state'];
  readonly priceList: string;
}

/** int8 comes as float8: every value is below 2⁵³, and a JavaScript number is then exact. */
export const usageColumns = sql.raw(`
  u.seq::float8 AS seq, u.project, u.key, u.kind, u.service, u.revision_name AS "revisionName",
  u.instance_id AS "instanceId", u.window_start::float8 AS "windowStart", u.window_end::float8 AS "windowEnd",
  u.billing_mode AS "billingMode", u.cpu_milli AS "cpuMilli", u.memory_mib AS "memoryMib",
  u.requests::float8 AS requests, u.bytes_in::float8 AS "bytesIn", u.bytes_out::float8 AS "bytesOut",
  u.busy::text AS busy, u.min_instance AS "minInstance", u.state, u.price_list AS "priceList"`);

export function decodeUsage(record: UsageRecord): StoredUsageRow {
  return { ...record, busy: parseSpans(record.busy) };
}

/** As PostgreSQL writes a multirange: `{[1,2),[5,9)}`. */
export function formatSpans(spans: readonly Span[]): string {
  return `{${spans.map(([start, end]) => `[${start},${end})`).join(',')}}`;
}

export function parseSpans(text: string): Span[] {
  return [...text.matchAll(/\[(-?\d+),(-?\d+)\)/g)].map((match) => [Number(match[1]), Number(match[2])]);
}
