import { sql } from 'kysely';
import type { PeriodBounds } from '../aggregate/slot.ts';
import type { AccountLists } from '../prices/account-list.ts';
import type { Sql } from './sql.ts';

/** Which list prices its usage, and which version of it, goes by time. */
export interface Account extends AccountLists {
  readonly project: string;
  readonly freeTier: boolean;
}

const accountColumns = sql.raw(`a.project, a.price_list AS "priceList", a.free_tier AS "freeTier",
  coalesce((SELECT json_agg(json_build_object('priceList', c.price_list, 'effectiveFrom', c.effective_from)
    ORDER BY c.effective_from) FROM account_price_list c WHERE c.project = a.project), '[]') AS changes`);

export interface Period extends PeriodBounds {
  readonly project: string;
  readonly state: 'open' | 'collecting' | 'closed';
  readonly invoiceId: string | null;
}

/**
 * Locks accounts until the transaction ends, in one order for all callers. Ingest and closing both hold it, so no usage
 * row can enter a period behind the back of the closing that has just counted it.
 */
export async function lockAccounts(db: Sql, projects: readonly string[]): Promise<Map<string, Account>> {
  const found = await sql<Account>`
    SELECT ${accountColumns} FROM account a
    WHERE a.project = ANY(${projects}::text[]) ORDER BY a.project FOR NO KEY UPDATE OF a`.execute(db);
  return new Map(found.rows.map((account) => [account.project, account]));
}

export async function findAccount(db: Sql, project: string): Promise<Account | undefined> {
  const found = await sql<Account>`
    SELECT ${accountColumns} FROM account a WHERE a.project = ${project}`.execute(db);
  return found.rows[0];
}

/** Opens accounts that do not exist yet, each with its first period. */
export async function openAccounts(
  db: Sql,
  accounts: readonly (Omit<Account, 'changes'> & { readonly startsAt: number })[],
  now: number,
): Promise<void> {
  for (const account of accounts) {
    await sql`
      WITH fresh AS (
        INSERT INTO account (project, price_list, free_tier, created_at)
        VALUES (${account.project}, ${account.priceList}, ${account.freeTier}, ${now}::int8)
        ON CONFLICT (project) DO NOTHING RETURNING project
      )
      INSERT INTO period (project, ordinal, state, starts_at)
      SELECT project, 1, 'open', ${account.startsAt}::int8 FROM fresh`.execute(db);
  }
}

/** Periods of each project, ascending; the last one is open. */
export async function loadPeriods(db: Sql, projects: readonly string[]): Promise<Map<string, Period[]>> {
  const found = await sql<Period>`
    SELECT project, ordinal, state, starts_at::float8 AS "startsAt", ends_at::float8 AS "endsAt",
      closed_seq::float8 AS "closedSeq", invoice_id AS "invoiceId"
    FROM period WHERE project = ANY(${projects}::text[]) ORDER BY project, ordinal`.execute(db);
  const periods = new Map<string, Period[]>();
  for (const period of found.rows) periods.set(period.project, [...(periods.get(period.project) ?? []), period]);
  return periods;
}

/** open → collecting, and the next period opens where it ends. */
export async function endPeriod(db: Sql, period: Period, endsAt: number): Promise<void> {
  await sql`UPDATE period SET state = 'collecting', ends_at = ${endsAt}::int8
    WHERE project = ${period.project} AND ordinal = ${period.ordinal} AND state = 'open'`.execute(db);
  await sql`INSERT INTO period (project, ordinal, state, starts_at)
    VALUES (${period.project}, ${period.ordinal + 1}, 'open', ${endsAt}::int8)`.execute(db);
}

/** collecting → closed. */
export async function sealPeriod(db: Sql, period: Period, closedSeq: number, invoiceId: string | null): Promise<void> {
  await sql`UPDATE period SET state = 'closed', closed_seq = ${closedSeq}::int8, invoice_id = ${invoiceId}
    WHERE project = ${period.project} AND ordinal = ${period.ordinal} AND state = 'collecting'`.execute(db);
}

/** The next number of the account's invoices: 1, 2, 3 … without gaps, because a rollback gives it back. */
export async function takeInvoiceNumber(db: Sql, project: string): Promise<number> {
  const taken = await sql<{ number: number }>`
    UPDATE account SET next_invoice_number = next_invoice_number + 1 WHERE project = ${project}
    RETURNING (next_invoice_number - 1)::float8 AS number`.execute(db);
  const number = taken.rows[0]?.number;
  if (number === undefined) throw new RangeError(`there is no account of project ${project}`);
  return number;
}

/** Projects with a period that may have to end or to be closed now. */
export async function projectsDue(db: Sql, opensBefore: number, collectsUntil: number): Promise<string[]> {
  const found = await sql<{ project: string }>`
    SELECT DISTINCT project FROM period
    WHERE (state = 'open' AND starts_at < ${opensBefore}::int8)
       OR (state = 'collecting' AND ends_at <= ${collectsUntil}::int8)
    ORDER BY project`.execute(db);
  return found.rows.map((row) => row.project);
}

/** The next number of the account's credit notes, without gaps like that of invoices. */
export async function takeCreditNoteNumber(db: Sql, project: string): Promise<number> {
  const taken = await sql<{ number: number }>`
    UPDATE account SET next_credit_note_number = next_credit_note_number + 1 WHERE project = ${project}
    RETURNING (next_credit_note_number - 1)::float8 AS number`.execute(db);
  const number = taken.rows[0]?.number;
  if (number === undefined) throw new RangeError(`there is no account of project ${project}`);
  return number;
}

/** Projects with usage in a period that is not closed. */
export async function accountsWithUnbilledUsage(db: Sql): Promise<string[]> {
  const found = await sql<{ project: string }>`
    SELECT project FROM period p WHERE state <> 'closed'
      AND EXISTS (SELECT 1 FROM instance_total t WHERE t.project = p.project AND t.ordinal = p.ordinal)
    GROUP BY project ORDER BY project`.execute(db);
  return found.rows.map((row) => row.project);
}
