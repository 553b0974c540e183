import { type CreditNote, formatMoney } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { sql } from 'kysely';
import type { Sql } from './sql.ts';

export interface NewCreditNote {
  readonly id: string;
  readonly project: string;
  readonly ordinal: number;
  readonly number: string;
  readonly invoiceId: string;
  readonly reason: string;
  readonly amount: bigint;
  /** The part of the amount that is tax. */
  readonly tax: bigint;
  readonly refundable: boolean;
  readonly at: number;
}

/** The database refuses one that goes beyond its invoice, or belongs to a void one. */
export async function insertCreditNote(db: Sql, note: NewCreditNote): Promise<void> {
  const { id, project, ordinal, number, invoiceId, reason, amount, tax, refundable, at } = note;
  await sql`INSERT INTO credit_note (id, project, ordinal, number, invoice_id, reason, amount, tax, refundable, created_at)
    VALUES (${id}, ${project}, ${ordinal}::int8, ${number}, ${invoiceId}, ${reason}, ${amount.toString()}::numeric,
      ${tax.toString()}::numeric, ${refundable}, ${at}::int8)`.execute(db);
}

/** What was credited of an invoice so far and how much of it is tax, in pico units. */
export async function creditedOf(
  db: Sql,
  invoiceId: string,
): Promise<{ readonly amount: bigint; readonly tax: bigint }> {
  const found = await sql<{ amount: string; tax: string }>`
    SELECT coalesce(sum(amount), 0)::text AS amount, coalesce(sum(tax), 0)::text AS tax
    FROM credit_note WHERE invoice_id = ${invoiceId}`.execute(db);
  return { amount: BigInt(found.rows[0]?.amount ?? '0'), tax: BigInt(found.rows[0]?.tax ?? '0') };
}

export interface StoredCreditNote {
  readonly ordinal: number;
  readonly note: CreditNote;
}

export async function findCreditNote(db: Sql, project: string, id: string): Promise<CreditNote | undefined> {
  const found = await sql<CreditNoteRecord>`
    SELECT ${columns} FROM credit_note n JOIN invoice i ON i.id = n.invoice_id
    WHERE n.project = ${project} AND n.id = ${id}`.execute(db);
  return found.rows.map(decode)[0]?.note;
}

/** Newest first; `before` is the ordinal to go on after. */
export async function listCreditNotes(
  db: Sql,
  project: string,
  { before, limit }: { before: number | null; limit: number },
): Promise<StoredCreditNote[]> {
  const found = await sql<CreditNoteRecord>`
    SELECT ${columns} FROM credit_note n JOIN invoice i ON i.id = n.invoice_id
    WHERE n.project = ${project} AND (${before}::int8 IS NULL OR n.ordinal < ${before}::int8)
    ORDER BY n.ordinal DESC LIMIT ${limit}`.execute(db);
  return found.rows.map(decode);
}

type CreditNoteRecord = Omit<CreditNote, 'createdAt' | 'tax'> & {
  readonly ordinal: number;
  readonly tax: string;
  readonly createdAt: number;
};

const columns = sql.raw(`n.id, n.ordinal::float8 AS ordinal, n.number, n.project, n.invoice_id AS "invoiceId",
  i.number AS "invoiceNumber", n.reason, n.amount::text AS amount, n.tax::text AS tax, i.currency, n.refundable,
  n.created_at::float8 AS "createdAt"`);

function decode({ ordinal, ...record }: CreditNoteRecord): StoredCreditNote {
  const amount = formatMoney(BigInt(record.amount));
  const tax = formatMoney(BigInt(record.tax));
  return { ordinal, note: { ...record, amount, tax, createdAt: isoTime(record.createdAt) } };
}
