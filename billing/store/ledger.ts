import { formatMoney, type LedgerAccount, type LedgerEntry, type LedgerReport } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { sql } from 'kysely';
import { accrued, type Transfer } from '../ledger/transfers.ts';
import type { Sql } from './sql.ts';

export interface NewTransfer extends Transfer {
  readonly project: string;
  /** Of the period that it belongs to. */
  readonly ordinal: number;
  readonly document: string | null;
  readonly at: number;
}

export async function postTransfer(db: Sql, transfer: NewTransfer): Promise<void> {
  const { project, kind, ordinal, document, debit, credit, amount, at } = transfer;
  await sql`INSERT INTO ledger_transfer (project, kind, ordinal, document, debit, credit, amount, at)
    VALUES (${project}, ${kind}, ${ordinal}, ${document}, ${debit}, ${credit}, ${amount.toString()}::numeric,
      ${at}::int8)`.execute(db);
}

/** Accrues the difference between `amount` and what a period has accrued so far; the account must be locked. */
export async function accrueTo(
  db: Sql,
  { project, ordinal }: { readonly project: string; readonly ordinal: number },
  amount: bigint,
  at: number,
): Promise<void> {
  const found = await sql<{ sum: string }>`
    SELECT coalesce(sum(CASE debit WHEN 'unbilled' THEN amount ELSE -amount END), 0)::text AS sum
    FROM ledger_transfer WHERE project = ${project} AND ordinal = ${ordinal} AND kind = 'accrued'`.execute(db);
  const difference = amount - BigInt(found.rows[0]?.sum ?? '0');
  if (difference === 0n) return;
  await postTransfer(db, { ...accrued(difference), project, ordinal, document: null, at });
}

export async function ledgerBalances(db: Sql, project: string): Promise<Map<LedgerAccount, bigint>> {
  const found = await sql<{ account: LedgerAccount; balance: string }>`
    SELECT account, sum(amount)::text AS balance FROM (
      SELECT debit AS account, amount FROM ledger_transfer WHERE project = ${project}
      UNION ALL
      SELECT credit, -amount FROM ledger_transfer WHERE project = ${project}) AS side
    GROUP BY account`.execute(db);
  return new Map(found.rows.map(({ account, balance }) => [account, BigInt(balance)]));
}

export type LedgerDifference = LedgerReport['differences'][number] & { readonly project: string };

/**
 * Where the ledger and the documents disagree; of one project, or of all with null. The documents say what is receivable,
 * paid, owed back and tax, and that a closed period has accrued exactly its invoice without taxes.
 */
export async function ledgerDifferences(db: Sql, project: string | null): Promise<LedgerDifference[]> {
  const found = await sql<{ project: string; what: string; ledger: string; documents: string }>`
    WITH side AS (
      SELECT project, debit AS account, amount FROM ledger_transfer
      UNION ALL SELECT project, credit, -amount FROM ledger_transfer),
    note AS (
      SELECT invoice_id, sum(amount) FILTER (WHERE NOT refundable) AS before, sum(amount) FILTER (WHERE refundable) AS after,
        sum(tax) AS tax
      FROM credit_note GROUP BY invoice_id),
    document AS (
      SELECT project, 'receivable' AS what, total - coalesce(before, 0) AS amount
      FROM invoice LEFT JOIN note ON invoice_id = id WHERE state = 'open'
      UNION ALL SELECT project, 'cash', total - coalesce(before, 0)
      FROM invoice LEFT JOIN note ON invoice_id = id WHERE state = 'paid'
      UNION ALL SELECT project, 'refundable', -after
      FROM invoice JOIN note ON invoice_id = id WHERE after IS NOT NULL
      UNION ALL SELECT project, 'tax', coalesce(note.tax, 0) - tax_total
      FROM invoice LEFT JOIN note ON invoice_id = id WHERE state IN ('open', 'paid')
      UNION ALL SELECT p.project, 'accrued:' || p.ordinal, coalesce(i.total - i.tax_total, 0)
      FROM period p LEFT JOIN invoice i ON i.id = p.invoice_id WHERE p.state = 'closed'),
    entry AS (
      SELECT project, account AS what, amount FROM side WHERE account IN ('receivable', 'cash', 'refundable', 'tax')
      UNION ALL SELECT t.project, 'accrued:' || t.ordinal, CASE t.debit WHEN 'unbilled' THEN t.amount ELSE -t.amount END
      FROM ledger_transfer t JOIN period p USING (project, ordinal) WHERE t.kind = 'accrued' AND p.state = 'closed'),
    both_sides AS (
      SELECT project, what, amount AS ledger, 0 AS documents FROM entry
      UNION ALL SELECT project, what, 0, amount FROM document)
    SELECT project, what, sum(ledger)::text AS ledger, sum(documents)::text AS documents FROM both_sides
    WHERE ${project}::text IS NULL OR project = ${project}
    GROUP BY project, what HAVING sum(ledger) <> sum(documents) ORDER BY project, what`.execute(db);
  return found.rows.map((row) => ({
    project: row.project,
    what: row.what,
    ledger: formatMoney(BigInt(row.ledger)),
    documents: formatMoney(BigInt(row.documents)),
  }));
}

/** Newest first; `before` is the seq to go on after. */
export async function listTransfers(
  db: Sql,
  project: string,
  { before, limit }: { before: number | null; limit: number },
): Promise<LedgerEntry[]> {
  const found = await sql<Omit<LedgerEntry, 'at'> & { at: number }>`
    SELECT seq::float8 AS seq, kind, document, debit, credit, amount::text AS amount, at::float8 AS at
    FROM ledger_transfer WHERE project = ${project} AND (${before}::int8 IS NULL OR seq < ${before}::int8)
    ORDER BY seq DESC LIMIT ${limit}`.execute(db);
  return found.rows.map((row) => ({ ...row, amount: formatMoney(BigInt(row.amount)), at: isoTime(row.at) }));
}
