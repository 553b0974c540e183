import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { creditNoteDocument } from '../document/credit-note-document.ts';
import { ingestBatch } from '../ingest/ingest-batch.ts';
import { drawJob } from '../jobs/billing-jobs.ts';
import { accrueOpenPeriods, checkLedgers, getLedger } from '../ledger/check-ledger.ts';
import { closePeriod } from '../period/close-period.ts';
import { type TestBilling, testBilling } from '../testing/billing-context.ts';
import { runOnce } from '../testing/run-once.ts';
import { taxedList } from '../testing/taxed-list.ts';
import { usageEvent } from '../testing/usage-events.ts';
import { createCreditNote, settleInvoice } from './settle-invoice.ts';

let billing: TestBilling;
beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'));
});
afterAll(() => billing.close());

const PAID = { as: 'paid', reference: 'transfer 4711' } as const;
const VOID = { as: 'void' } as const;

/** An open invoice over 4.00. */
async function invoiceOf(project: string) {
  await ingestBatch(billing, [usageEvent({ project, key: 'a', requests: 10_000_000 })]);
  const invoice = await closePeriod(billing, project, null);
  expect(invoice).toMatchObject({ state: 'open', total: '4.00', due: '4.00', settledAt: null });
  return invoice;
}

async function balancesOf(project: string): Promise<Record<string, string>> {
  const { balances, balanced } = await getLedger(billing, project);
  expect(balanced).toBe(true);
  return Object.fromEntries(balances.map(({ account, balance }) => [account, balance]));
}

async function eventTypes(project: string): Promise<string[]> {
  const { rows } = await billing.db.query<{ type: string }>(
    `SELECT event->>'type' AS type FROM billing.outbox WHERE event->>'project' = $1 ORDER BY id`,
    [project],
  );
  return rows.map((row) => row.type);
}

describe('an invoice', () => {
  test('is paid once, by however many at once', async () => {
    const { id } = await invoiceOf('paid');
    const replicas = [billing, billing.replica()];
    const all = await Promise.all(
      Array.from({ length: 6 }, (_, index) => settleInvoice(replicas[index % 2] ?? billing, 'paid', id, PAID)),
    );
    for (const invoice of all) expect(invoice).toMatchObject({ state: 'paid', due: '0.00', total: '4.00' });
    expect(await balancesOf('paid')).toMatchObject({ cash: '4.00', receivable: '0.00', revenue: '-4.00' });
    expect(await eventTypes('paid')).toEqual(['skyrun.invoice.closed.v1', 'skyrun.invoice.paid.v1']);
    await expect(settleInvoice(billing, 'paid', id, VOID)).rejects.toMatchObject({ code: 'billing.invoice_settled' });
  });

  test('keeps what it was paid by, and a second payment is told rather than taken for the first', async () => {
    const { id, number } = await invoiceOf('twice');
    await settleInvoice(billing, 'twice', id, PAID);
    expect(await settleInvoice(billing, 'twice', id, PAID)).toMatchObject({ paymentReference: 'transfer 4711' });
    const detail = `invoice ${number} is paid already by transfer 4711; pay back what came twice, or record it for another invoice`;
    await expect(settleInvoice(billing, 'twice', id, { as: 'paid', reference: 'transfer 4712' })).rejects.toMatchObject(
      { code: 'billing.invoice_settled', detail },
    );
    expect(await balancesOf('twice')).toMatchObject({ cash: '4.00' });
    for (const change of [
      `UPDATE billing.invoice_payment SET reference = 'x'`,
      `DELETE FROM billing.invoice_payment`,
    ]) {
      await expect(billing.db.query(change)).rejects.toThrow('append-only');
    }
  });

  test('is void, and then neither paid nor credited', async () => {
    const { id } = await invoiceOf('void');
    await createCreditNote(billing, 'void', id, { amount: '1.50', reason: 'outage' });
    expect(await settleInvoice(billing, 'void', id, VOID)).toMatchObject({ state: 'void', due: '0.00' });
    expect(await balancesOf('void')).toMatchObject({ cash: '0.00', receivable: '0.00', revenue: '0.00' });
    await expect(settleInvoice(billing, 'void', id, PAID)).rejects.toMatchObject({ code: 'billing.invoice_settled' });
    await expect(createCreditNote(billing, 'void', id, { reason: 'x' })).rejects.toMatchObject({
      code: 'billing.invoice_settled',
    });
  });

  test('is credited up to its total, before and after it is paid, in numbered notes', async () => {
    const { id } = await invoiceOf('credited');
    const credit = (amount?: string) => createCreditNote(billing, 'credited', id, { amount, reason: 'goodwill' });
    expect(await credit('1.00')).toMatchObject({ number: 'CREDITED-CN-000001', amount: '1.00', refundable: false });
    await settleInvoice(billing, 'credited', id, PAID);
    expect(await balancesOf('credited')).toMatchObject({ cash: '3.00', receivable: '0.00' });
    await expect(credit('3.01')).rejects.toMatchObject({ code: 'billing.credit_too_large' });
    await expect(credit('0.001')).rejects.toMatchObject({ code: 'request.invalid' });
    await expect(credit('-1')).rejects.toMatchObject({ code: 'request.invalid' });
    expect(await credit()).toMatchObject({ number: 'CREDITED-CN-000002', amount: '3.00', refundable: true });
    await expect(credit()).rejects.toMatchObject({ code: 'billing.credit_too_large' });
    expect(await balancesOf('credited')).toMatchObject({ cash: '3.00', refundable: '-3.00', revenue: '0.00' });
  });

  test('two notes at once never credit more than the invoice', async () => {
    const { id } = await invoiceOf('race');
    const results = await Promise.allSettled(
      [billing, billing.replica(), billing.replica()].map((replica) =>
        createCreditNote(replica, 'race', id, { amount: '2.50', reason: 'x' }),
      ),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });
});

describe('the database', () => {
  test.each([
    [
      'adding a line',
      `INSERT INTO billing.invoice_line SELECT invoice_id, 99, meter, service, description, quantity, unit,
       unit_price, priced_unit, amount, usage_rows FROM billing.invoice_line WHERE invoice_id = (SELECT id FROM invoice)`,
    ],
    ['paying', `UPDATE billing.invoice SET state = 'paid', settled_at = 1 WHERE id = (SELECT id FROM invoice)`],
  ])('is not misled by tables of the session’s own: refuses %s', async (_, statement) => {
    const { id } = await invoiceOf(`misled-${statement.startsWith('INSERT') ? 'line' : 'paid'}`);
    const work = billing.db.transaction(async (tx) => {
      await tx.query(`CREATE TEMP TABLE invoice ON COMMIT DROP AS SELECT $1::text AS id, 'draft'::text AS state`, [id]);
      await tx.query(
        `CREATE TEMP TABLE ledger_transfer ON COMMIT DROP AS SELECT $1::text AS document, 'paid' AS kind`,
        [id],
      );
      await tx.query(statement);
    });
    await expect(work).rejects.toThrow(/immutable|has no entry/);
  });

  test.each([
    ['paying without an entry', `UPDATE billing.invoice SET state = 'paid', settled_at = 1 WHERE project = 'guard'`],
    ['paying without a time', `UPDATE billing.invoice SET state = 'paid' WHERE project = 'guard'`],
    [
      'too large a note',
      `INSERT INTO billing.credit_note SELECT 'crn_x', project, 9, 'N', id, 'r', total + 1, false, 1
       FROM billing.invoice WHERE project = 'guard'`,
    ],
    [
      'a note without an entry',
      `INSERT INTO billing.credit_note SELECT 'crn_x', project, 9, 'N', id, 'r', 1, false, 1
       FROM billing.invoice WHERE project = 'guard'`,
    ],
    ['changing the ledger', `UPDATE billing.ledger_transfer SET amount = 0 WHERE project = 'guard'`],
    ['deleting from the ledger', `DELETE FROM billing.ledger_transfer WHERE project = 'guard'`],
  ])('refuses %s', async (_, statement) => {
    await ingestBatch(billing, [usageEvent({ project: 'guard', key: 'a', requests: 10_000_000 })]);
    await closePeriod(billing, 'guard', null);
    await expect(billing.db.query(statement)).rejects.toThrow(/has no entry|invoice_settled|are more than|append-only/);
  });
});

describe('the ledger', () => {
  test('accrues what the open period costs, and its invoice takes all of it', async () => {
    const project = 'accrual';
    await ingestBatch(billing, [usageEvent({ project, key: 'a', requests: 1 })]);
    await accrueOpenPeriods(billing, project);
    // 1 s of 1 vCPU and 0.5 GiB and a request: 0.000024 + 0.00000125 + 0.0000004.
    expect(await balancesOf(project)).toMatchObject({ unbilled: '0.00002565', revenue: '-0.00002565' });
    await accrueOpenPeriods(billing, project);
    await ingestBatch(billing, [usageEvent({ project, key: 'b', from: Date.UTC(2026, 0, 2), requests: 5_000_000 })]);
    await closePeriod(billing, project, null);
    expect(await balancesOf(project)).toMatchObject({ unbilled: '0.00', receivable: '2.00', revenue: '-2.00' });
  });

  test('the check names what a change behind its back made wrong', async () => {
    const { id } = await invoiceOf('cooked');
    expect(await checkLedgers(billing)).toEqual([]);
    const change = (by: string) =>
      billing.db.transaction(async (tx) => {
        await tx.query(`SET LOCAL session_replication_role = 'replica'`);
        await tx.query(`UPDATE billing.ledger_transfer SET amount = amount + $2 WHERE document = $1`, [id, by]);
      });
    await change('10000000000');
    expect(await checkLedgers(billing)).toEqual([
      { project: 'cooked', what: 'receivable', ledger: '4.01', documents: '4.00' },
    ]);
    await change('-10000000000');
    expect(await checkLedgers(billing)).toEqual([]);
  });
});

describe('taxes', () => {
  /** An open invoice over 4.00 and 19 % of it. */
  async function taxedInvoice(project: string) {
    const taxed = { ...billing, newAccount: { priceList: await taxedList(billing), freeTier: false } };
    await ingestBatch(taxed, [usageEvent({ project, key: 'a', busy: [], requests: 10_000_000 })]);
    await accrueOpenPeriods(taxed, project);
    expect(await balancesOf(project)).toMatchObject({ unbilled: '4.00', revenue: '-4.00', tax: '0.00' });
    const invoice = await closePeriod(taxed, project, null);
    expect(invoice).toMatchObject({ subtotal: '4.00', total: '4.76', taxes: [{ name: 'VAT', amount: '0.76' }] });
    return invoice;
  }

  test('are not revenue: receivable is revenue and tax', async () => {
    const { id } = await taxedInvoice('taxed');
    expect(await balancesOf('taxed')).toMatchObject({
      unbilled: '0.00',
      receivable: '4.76',
      revenue: '-4.00',
      tax: '-0.76',
    });
    await settleInvoice(billing, 'taxed', id, PAID);
    expect(await balancesOf('taxed')).toMatchObject({ receivable: '0.00', cash: '4.76', tax: '-0.76' });
  });

  test('are taken back with what is credited, to the last cent', async () => {
    const { id } = await taxedInvoice('credited-tax');
    expect(await createCreditNote(billing, 'credited-tax', id, { amount: '1.19', reason: 'a' })).toMatchObject({
      amount: '1.19',
      tax: '0.19',
    });
    expect(await balancesOf('credited-tax')).toMatchObject({ receivable: '3.57', revenue: '-3.00', tax: '-0.57' });
    await settleInvoice(billing, 'credited-tax', id, PAID);
    expect(await createCreditNote(billing, 'credited-tax', id, { reason: 'all' })).toMatchObject({ tax: '0.57' });
    expect(await balancesOf('credited-tax')).toMatchObject({
      cash: '3.57',
      refundable: '-3.57',
      revenue: '0.00',
      tax: '0.00',
    });
  });

  test('are told on the document of the credit note, which the job draws once', async () => {
    const { id } = await taxedInvoice('drawn-tax');
    const note = await createCreditNote(billing, 'drawn-tax', id, { amount: '1.19', reason: 'outage' });
    const job = drawJob(() => billing);
    expect(await job.items()).toContain(`drawn-tax/${note.id}/credit-note`);
    await Promise.all([runOnce(job), runOnce(drawJob(() => billing.replica()))]);
    expect(await job.items()).toEqual([]);
    const { rows } = await billing.db.query<{ content: Buffer }>(
      'SELECT content FROM billing.credit_note_document WHERE credit_note_id = $1',
      [note.id],
    );
    expect(rows[0]?.content.subarray(0, 5).toString()).toBe('%PDF-');
    const { number, content } = await creditNoteDocument(billing, 'drawn-tax', note.id);
    expect(number).toBe('DRAWN-TAX-CN-000001');
    expect(content.equals(rows[0]?.content ?? Buffer.alloc(0))).toBe(true);
    await expect(creditNoteDocument(billing, 'other', note.id)).rejects.toMatchObject({ code: 'resource.not_found' });
  });

  test('of a void invoice are not owed, less what was credited before', async () => {
    const { id } = await taxedInvoice('void-tax');
    await createCreditNote(billing, 'void-tax', id, { amount: '0.07', reason: 'a' });
    await settleInvoice(billing, 'void-tax', id, VOID);
    expect(await balancesOf('void-tax')).toMatchObject({ receivable: '0.00', revenue: '0.00', tax: '0.00' });
  });

  test('that the ledger does not have are a difference', async () => {
    const { id } = await taxedInvoice('lost-tax');
    await billing.db.query('ALTER TABLE billing.ledger_transfer DISABLE TRIGGER ledger_append_only');
    await billing.db.query(
      `UPDATE billing.ledger_transfer SET amount = amount - 10000000000
      WHERE document = $1 AND kind = 'taxed'`,
      [id],
    );
    await billing.db.query('ALTER TABLE billing.ledger_transfer ENABLE TRIGGER ledger_append_only');
    expect((await getLedger(billing, 'lost-tax')).differences).toEqual([
      { what: 'tax', ledger: '-0.75', documents: '-0.76' },
    ]);
  });
});
