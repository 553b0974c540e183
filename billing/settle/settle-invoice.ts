/**
 * What happens to a finalized invoice, which itself never changes:
 *
 *   open ──► paid        open ──► void        open, paid ──► (credit notes, at most its total)
 *
 * Each is one transaction with its entry in the ledger and its event, under the lock of the project's account.
 */
import { type CreditNote, type Invoice, Problem, parseMoney } from '@skyrun/contracts';
import { newId } from '@skyrun/kit';
import { appendEvents, type Transaction } from '@skyrun/postgres';
import { creditedTax } from '../calculate/credited-tax.ts';
import { type BillingContext, SOURCE } from '../context.ts';
import { credited, paid, untaxed, voided } from '../ledger/transfers.ts';
import { lockAccounts, takeCreditNoteNumber } from '../store/accounts.ts';
import { creditedOf, findCreditNote, insertCreditNote } from '../store/credit-notes.ts';
import { findInvoice, insertPayment, type StoredInvoice, settleInvoiceRow } from '../store/invoices.ts';
import { postTransfer } from '../store/ledger.ts';

export type Settlement =
  /** `reference`: what the payment is known by where it came in. */
  { readonly as: 'paid'; readonly reference: string } | { readonly as: 'void' };

/**
 * Makes an open invoice paid or void; repeating it changes nothing. Throws `billing.invoice_settled` if it is the other, or
 * was paid under another reference: that is a second payment, which nobody may lose sight of.
 */
export function settleInvoice(
  context: BillingContext,
  project: string,
  invoiceId: string,
  settlement: Settlement,
): Promise<Invoice> {
  const { as: state } = settlement;
  return context.db.transaction(async (tx) => {
    const stored = await lockInvoice(tx, project, invoiceId);
    const { invoice, ordinal } = stored;
    if (isRepeated(invoice, settlement)) return invoice;
    if (invoice.state !== 'open') throw new Problem('billing.invoice_settled', { detail: settledAs(invoice) });
    const db = tx.kysely<unknown>();
    const at = context.clock.now();
    const due = parseMoney(invoice.due ?? invoice.total);
    await settleInvoiceRow(db, invoiceId, state, at);
    if (settlement.as === 'paid') await insertPayment(db, { invoiceId, reference: settlement.reference, at });
    const transfer = state === 'paid' ? paid(due) : voided(due);
    const entry = { project, ordinal, document: invoiceId, at };
    await postTransfer(db, { ...transfer, ...entry });
    const tax = state === 'void' ? taxOf(invoice) - (await creditedOf(db, invoiceId)).tax : 0n;
    if (tax !== 0n) await postTransfer(db, { ...untaxed(tax), ...entry });
    const { id, number, currency } = invoice;
    const type = state === 'paid' ? 'skyrun.invoice.paid.v1' : 'skyrun.invoice.voided.v1';
    const data = { id, number, project, amount: invoice.due ?? invoice.total, currency };
    await appendEvents(tx, SOURCE, [{ type, subject: `projects/${project}`, project, data }], context.clock);
    return (await lockInvoice(tx, project, invoiceId)).invoice;
  });
}

function isRepeated({ state, paymentReference }: Invoice, settlement: Settlement): boolean {
  return settlement.as === 'paid'
    ? state === 'paid' && paymentReference === settlement.reference
    : state === settlement.as;
}

function settledAs({ number, state, paymentReference }: Invoice): string {
  if (state !== 'paid') return `invoice ${number} is ${state} already`;
  const by = paymentReference === undefined ? '' : ` by ${paymentReference}`;
  return `invoice ${number} is paid already${by}; pay back what came twice, or record it for another invoice`;
}

/**
 * Takes back `amount` of an invoice, or all that is left of it. Throws `billing.credit_too_large`, `request.invalid` for
 * an amount that is not a positive number of minor units, and `billing.invoice_settled` for a void invoice.
 */
export function createCreditNote(
  context: BillingContext,
  project: string,
  invoiceId: string,
  { amount: asked, reason }: { readonly amount?: string | undefined; readonly reason: string },
): Promise<CreditNote> {
  return context.db.transaction(async (tx) => {
    const db = tx.kysely<unknown>();
    const { invoice, ordinal } = await lockInvoice(tx, project, invoiceId);
    if (invoice.state !== 'open' && invoice.state !== 'paid') {
      throw new Problem('billing.invoice_settled', { detail: `invoice ${invoice.number} is ${invoice.state}` });
    }
    const total = parseMoney(invoice.total);
    const before = await creditedOf(db, invoiceId);
    const left = total - before.amount;
    const amount = asked === undefined ? left : parseMoney(asked);
    if (amount > left || left <= 0n) {
      throw new Problem('billing.credit_too_large', {
        detail: `amount: ${invoice.number} was credited up to its total`,
      });
    }
    const places = context.prices.byId(invoice.priceList.split(', ')[0] ?? '').minorUnitPlaces;
    if (amount <= 0n || amount % 10n ** BigInt(12 - places) !== 0n) {
      const message = `expected a positive amount with at most ${places} decimals`;
      throw new Problem('request.invalid', { detail: `amount: ${message}`, errors: [{ field: '/amount', message }] });
    }
    const at = context.clock.now();
    const refundable = invoice.state === 'paid';
    const id = newId('creditNote', context.clock);
    const tax = creditedTax({ total, tax: taxOf(invoice) }, before.amount, amount, places);
    const noteOrdinal = await takeCreditNoteNumber(db, project);
    const number = `${project.toUpperCase()}-CN-${String(noteOrdinal).padStart(6, '0')}`;
    await insertCreditNote(db, {
      id,
      project,
      ordinal: noteOrdinal,
      number,
      invoiceId,
      reason,
      amount,
      tax,
      refundable,
      at,
    });
    const entry = { project, ordinal, document: id, at };
    await postTransfer(db, { ...credited(amount, refundable), ...entry });
    if (tax !== 0n) await postTransfer(db, { ...untaxed(tax), ...entry });
    const note = await findCreditNote(db, project, id);
    if (!note) throw new RangeError(`credit note ${id} is gone`);
    const event = { type: 'skyrun.invoice.credited.v1' as const, subject: `projects/${project}`, project, data: note };
    await appendEvents(tx, SOURCE, [event], context.clock);
    return note;
  });
}

function taxOf({ taxes = [] }: Invoice): bigint {
  return taxes.reduce((sum, { amount }) => sum + parseMoney(amount), 0n);
}

/** Under the account's lock, so that what is due cannot change meanwhile. Throws `resource.not_found`. */
async function lockInvoice(tx: Transaction, project: string, invoiceId: string): Promise<StoredInvoice> {
  const db = tx.kysely<unknown>();
  await lockAccounts(db, [project]);
  const stored = await findInvoice(db, project, invoiceId);
  if (!stored) throw new Problem('resource.not_found', { detail: `project ${project} has no invoice ${invoiceId}` });
  return stored;
}
