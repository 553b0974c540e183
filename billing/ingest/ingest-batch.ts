import { accrue } from '../aggregate/accrue.ts';
import { monthStart, slotOf } from '../aggregate/slot.ts';
import { mergeSpans, type Span } from '../aggregate/spans.ts';
import { type NewUsageRow, type StoredUsageRow, usageKey } from '../aggregate/usage-row.ts';
import { SETTLED_MS } from '../compare/settled.ts';
import type { BillingContext } from '../context.ts';
import { listAt } from '../prices/account-list.ts';
import { type Account, loadPeriods, lockAccounts, openAccounts } from '../store/accounts.ts';
import type { Sql } from '../store/sql.ts';
import { addTotals, type ProjectTotals } from '../store/totals.ts';
import {
  fingerprintsOf,
  type InstanceWindow,
  insertRejected,
  insertUsage,
  overlappingUsage,
  type RejectedUsage,
} from '../store/usage.ts';
import { checkUsage, type UsageEvent } from './check-usage.ts';
import { fingerprintOf } from './fingerprint.ts';

export interface IngestResult {
  /** Rows that were new. */
  readonly accepted: number;
  /** Deliveries of usage that was there already. */
  readonly duplicates: number;
  /** Accepted rows whose period was closed already; they count for the next one. */
  readonly late: number;
  /** Accepted rows of a time that may have been compared between the sources already. */
  readonly uncompared: number;
  readonly rejected: readonly RejectedUsage[];
  /** Projects whose cost changed. */
  readonly projects: readonly string[];
}

type Candidate = Omit<NewUsageRow, 'priceList'>;

/**
 * Takes usage in, in one transaction: rows, rejections and running totals. The unique (project, key) is the mark that
 * an event was handled: it is written with the row and, unlike an inbox mark, never expires. Events may come in any
 * order and any number of times, to any number of replicas.
 */
export async function ingestBatch(context: BillingContext, events: readonly UsageEvent[]): Promise<IngestResult> {
  const now = context.clock.now();
  const rejected: RejectedUsage[] = [];
  const candidates = new Map<string, { row: Candidate; event: UsageEvent }>();
  const rivals: { row: Candidate; event: UsageEvent }[] = [];
  let duplicates = 0;
  for (const event of events) {
    const checked = checkUsage(event, now);
    if (!checked.ok) {
      rejected.push(rejection(event, checked.problem, checked.detail));
      continue;
    }
    const row = { ...checked.row, fingerprint: fingerprintOf(checked.row) };
    const first = candidates.get(usageKey(row));
    if (!first) candidates.set(usageKey(row), { row, event });
    else if (first.row.fingerprint === row.fingerprint) duplicates += 1;
    else rivals.push({ row, event });
  }

  return context.db.transaction(async (tx) => {
    const db = tx.kysely<unknown>();
    await context.prices.refresh(db);
    const rows = [...candidates.values()].map(({ row }) => row);
    const accounts = await lockOrOpenAccounts(db, context, rows, now);
    const priced = rows.map((row) => ({ ...row, priceList: priceListOf(row, accounts, context) }));
    const inserted = await insertUsage(db, priced, now);
    const seqs = new Map(inserted.map((row) => [usageKey(row), row.seq]));
    const fresh = priced.flatMap((row): StoredUsageRow[] => {
      const seq = seqs.get(usageKey(row));
      return seq === undefined ? [] : [{ ...row, seq }];
    });

    const seen = [...candidates.values()].filter(({ row }) => !seqs.has(usageKey(row)));
    const known = await fingerprintsOf(
      db,
      [...seen, ...rivals].map(({ row }) => row),
    );
    const conflicts: RejectedUsage[] = [];
    let again = duplicates;
    for (const { row, event } of [...seen, ...rivals]) {
      if (known.get(usageKey(row)) === row.fingerprint) again += 1;
      else conflicts.push(rejection(event, 'usage.key_conflict', `key ${row.key} was used for other usage`));
    }
    await insertRejected(db, [...rejected, ...conflicts], now);
    const { changes, late } = await accrueAll(db, fresh);
    await addTotals(db, changes);
    return {
      accepted: fresh.length,
      duplicates: again,
      late,
      uncompared: fresh.filter((row) => row.windowStart < now - SETTLED_MS).length,
      rejected: [...rejected, ...conflicts],
      projects: [...new Set(fresh.map((row) => row.project))],
    };
  });
}

async function lockOrOpenAccounts(
  db: Sql,
  { newAccount }: BillingContext,
  rows: readonly Candidate[],
  now: number,
): Promise<Map<string, Account>> {
  const projects = [...new Set(rows.map((row) => row.project))].sort();
  const accounts = await lockAccounts(db, projects);
  const missing = projects.filter((project) => !accounts.has(project));
  if (missing.length === 0) return accounts;
  const opening = missing.map((project) => {
    const starts = rows.filter((row) => row.project === project).map((row) => row.windowStart);
    return { project, ...newAccount, startsAt: monthStart(Math.min(now, ...starts)) };
  });
  await openAccounts(db, opening, now);
  return lockAccounts(db, projects);
}

function priceListOf(row: Candidate, accounts: ReadonlyMap<string, Account>, { prices }: BillingContext): string {
  const account = accounts.get(row.project);
  if (!account) throw new RangeError(`there is no account of project ${row.project}`);
  return listAt(prices, account, row.windowStart).id;
}

/** The running totals' differences, project by project. */
async function accrueAll(
  db: Sql,
  fresh: readonly StoredUsageRow[],
): Promise<{ changes: ProjectTotals[]; late: number }> {
  if (fresh.length === 0) return { changes: [], late: 0 };
  const byProject = Map.groupBy(fresh, (row) => row.project);
  const periods = await loadPeriods(db, [...byProject.keys()]);
  const firstFresh = Math.min(...fresh.map((row) => row.seq));
  const neighbours = Map.groupBy(await overlappingUsage(db, instanceWindows(fresh), firstFresh), (row) => row.project);
  let late = 0;
  const changes = [...byProject].map(([project, rows]) => {
    const chain = periods.get(project) ?? [];
    late += rows.filter((row) => slotOf(row, chain).late).length;
    return { project, totals: accrue(neighbours.get(project) ?? [], rows, chain) };
  });
  return { changes, late };
}

function instanceWindows(rows: readonly StoredUsageRow[]): InstanceWindow[] {
  const answered = rows.filter((row) => row.instanceId !== '');
  return [...Map.groupBy(answered, (row) => `${row.project} ${row.instanceId}`).values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const spans = mergeSpans(group.map((row): Span => [row.windowStart, row.windowEnd]));
    return spans.map((window) => ({ project: first.project, instanceId: first.instanceId, window }));
  });
}

function rejection(event: UsageEvent, problem: string, detail: string): RejectedUsage {
  const { source, id: eventId, data } = event;
  return { source, eventId, project: data.project, key: data.key, problem, detail, data };
}
