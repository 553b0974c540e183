import { type CostLine, formatMoney, type Invoice, type Meter } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { sql } from 'kysely';
import type { Bill } from '../calculate/calculate.ts';
import { showPercent } from '../prices/price-list.ts';
import type { Sql } from './sql.ts';

export interface NewInvoice {
  readonly id: string;
  readonly project: string;
  readonly ordinal: number;
  readonly number: string;
  readonly currency: string;
  readonly periodStart: number;
  readonly periodEnd: number;
  readonly priceList: string;
  readonly bill: Bill;
  readonly createdAt: number;
}

/** Writes a finalized invoice: as a draft, then its lines, then open; from then on the database refuses any change. */
export async function insertInvoice(db: Sql, invoice: NewInvoice): Promise<void> {
  const { id, project, ordinal, number, currency, periodStart, periodEnd, priceList, bill, createdAt } = invoice;
  const sumOf = (parts: readonly { readonly amount: bigint }[]) =>
    parts.reduce((sum, { amount }) => sum + amount, 0n).toString();
  await sql`
    INSERT INTO invoice (id, project, ordinal, number, state, currency, period_start, period_end, price_list, subtotal,
      credit_total, tax_total, total, created_at)
    VALUES (${id}, ${project}, ${ordinal}, ${number}, 'draft', ${currency}, ${periodStart}::int8, ${periodEnd}::int8,
      ${priceList}, ${bill.subtotal.toString()}::numeric, ${sumOf(bill.credits)}::numeric,
      ${sumOf(bill.taxes)}::numeric, ${bill.total.toString()}::numeric, ${createdAt}::int8)`.execute(db);
  const column = <Value>(of: (line: Bill['lines'][number], index: number) => Value) => bill.lines.map(of);
  await sql`
    INSERT INTO invoice_line (invoice_id, position, meter, service, description, quantity, unit, unit_price, priced_unit,
      amount, usage_rows)
    SELECT ${id}, * FROM unnest(
      ${column((_, index) => index + 1)}::int4[], ${column((line) => line.meter)}::text[],
      ${column((line) => line.service)}::text[], ${column((line) => line.description)}::text[],
      ${column((line) => line.quantity.toString())}::numeric[], ${column((line) => line.unit)}::text[],
      ${column((line) => line.unitPrice.toString())}::numeric[], ${column((line) => line.pricedUnit)}::text[],
      ${column((line) => line.amount.toString())}::numeric[], ${column((line) => line.usageRows)}::int8[])`.execute(db);
  await sql`
    INSERT INTO invoice_credit (invoice_id, position, description, amount)
    SELECT ${id}, * FROM unnest(
      ${bill.credits.map((_, index) => index + 1)}::int4[],
      ${bill.credits.map((credit) => credit.description)}::text[],
      ${bill.credits.map((credit) => credit.amount.toString())}::numeric[])`.execute(db);
  await sql`
    INSERT INTO invoice_tax (invoice_id, position, name, percent, amount)
    SELECT ${id}, * FROM unnest(
      ${bill.taxes.map((_, index) => index + 1)}::int4[], ${bill.taxes.map((tax) => tax.name)}::text[],
      ${bill.taxes.map((tax) => Number(tax.percent))}::int4[],
      ${bill.taxes.map((tax) => tax.amount.toString())}::numeric[])`.execute(db);
  await sql`UPDATE invoice SET state = 'open' WHERE id = ${id}`.execute(db);
}

/** open → paid | void. */
export async function settleInvoiceRow(db: Sql, id: string, state: 'paid' | 'void', at: number): Promise<void> {
  await sql`UPDATE invoice SET state = ${state}, settled_at = ${at}::int8 WHERE id = ${id}`.execute(db);
}

/** Of a paid invoice, in the transaction that makes it so. */
export async function insertPayment(
  db: Sql,
  { invoiceId, reference, at }: { readonly invoiceId: string; readonly reference: string; readonly at: number },
): Promise<void> {
  await sql`INSERT INTO invoice_payment (invoice_id, reference, recorded_at)
    VALUES (${invoiceId}, ${reference}, ${at}::int8)`.execute(db);
}

interface InvoiceRecord {
  readonly id: string;
  readonly project: string;
  readonly ordinal: number;
  readonly number: string;
  readonly state: Invoice['state'];
  readonly currency: string;
  readonly periodStart: number;
  readonly periodEnd: number;
  readonly priceList: string;
  readonly subtotal: string;
  readonly total: string;
  readonly credited: string;
  readonly createdAt: number;
  readonly settledAt: number | null;
  readonly paymentReference: string | null;
}

/** An invoice as the API shows it, with the place of its period in the chain. */
export interface StoredInvoice {
  readonly ordinal: number;
  readonly invoice: Invoice;
}

/** Newest first; `before` is the ordinal to go on after. */
export async function listInvoices(
  db: Sql,
  project: string,
  { before, limit }: { before: number | null; limit: number },
): Promise<StoredInvoice[]> {
  const found = await sql<InvoiceRecord>`
    SELECT ${invoiceColumns} FROM invoice
    WHERE project = ${project} AND (${before}::int4 IS NULL OR ordinal < ${before}::int4)
    ORDER BY ordinal DESC LIMIT ${limit}`.execute(db);
  return withParts(db, found.rows);
}

export async function findInvoice(db: Sql, project: string, id: string): Promise<StoredInvoice | undefined> {
  const found = await sql<InvoiceRecord>`
    SELECT ${invoiceColumns} FROM invoice WHERE project = ${project} AND id = ${id}`.execute(db);
  const [stored] = await withParts(db, found.rows);
  return stored;
}

const invoiceColumns = sql.raw(`id, project, ordinal, number, state, currency, period_start::float8 AS "periodStart",
  period_end::float8 AS "periodEnd", price_list AS "priceList", subtotal::text AS subtotal, total::text AS total,
  created_at::float8 AS "createdAt", settled_at::float8 AS "settledAt",
  (SELECT reference FROM invoice_payment WHERE invoice_id = invoice.id) AS "paymentReference",
  (SELECT coalesce(sum(amount), 0)::text FROM credit_note WHERE invoice_id = invoice.id) AS credited`);

async function withParts(db: Sql, records: readonly InvoiceRecord[]): Promise<StoredInvoice[]> {
  if (records.length === 0) return [];
  const ids = records.map((record) => record.id);
  const lines = await sql<{
    invoiceId: string;
    meter: Meter;
    service: string;
    description: string;
    quantity: string;
    unit: string;
    unitPrice: string;
    pricedUnit: string;
    amount: string;
    usageRows: number;
  }>`
    SELECT invoice_id AS "invoiceId", meter, service, description, quantity::text AS quantity, unit,
      unit_price::text AS "unitPrice", priced_unit AS "pricedUnit", amount::text AS amount,
      usage_rows::float8 AS "usageRows"
    FROM invoice_line WHERE invoice_id = ANY(${ids}::text[]) ORDER BY invoice_id, position`.execute(db);
  const credits = await sql<{ invoiceId: string; description: string; amount: string }>`
    SELECT invoice_id AS "invoiceId", description, amount::text AS amount
    FROM invoice_credit WHERE invoice_id = ANY(${ids}::text[]) ORDER BY invoice_id, position`.execute(db);
  const taxes = await sql<{ invoiceId: string; name: string; percent: number; amount: string }>`
    SELECT invoice_id AS "invoiceId", name, percent, amount::text AS amount
    FROM invoice_tax WHERE invoice_id = ANY(${ids}::text[]) ORDER BY invoice_id, position`.execute(db);
  return records.map(({ ordinal, credited, settledAt, paymentReference, ...record }) => ({
    ordinal,
    invoice: {
      ...record,
      periodStart: isoTime(record.periodStart),
      periodEnd: isoTime(record.periodEnd),
      createdAt: isoTime(record.createdAt),
      subtotal: money(record.subtotal),
      total: money(record.total),
      due: record.state === 'open' ? formatMoney(BigInt(record.total) - BigInt(credited)) : '0.00',
      settledAt: settledAt === null ? null : isoTime(settledAt),
      ...(paymentReference === null ? {} : { paymentReference }),
      lines: lines.rows
        .filter((line) => line.invoiceId === record.id)
        .map(({ invoiceId: _, ...line }): CostLine & { usageRows: number } => ({
          ...line,
          unitPrice: money(line.unitPrice),
          amount: money(line.amount),
        })),
      credits: credits.rows
        .filter((credit) => credit.invoiceId === record.id)
        .map(({ description, amount }) => ({ description, amount: money(amount) })),
      taxes: taxes.rows
        .filter((tax) => tax.invoiceId === record.id)
        .map(({ name, percent, amount }) => ({ name, percent: showPercent(BigInt(percent)), amount: money(amount) })),
    },
  }));
}

function money(pico: string): string {
  return formatMoney(BigInt(pico));
}
