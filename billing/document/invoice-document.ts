import { type Invoice, Problem } from '@skyrun/contracts';
import type { BillingContext } from '../context.ts';
import { findDocument, keepDocument } from '../store/documents.ts';
import { findInvoice } from '../store/invoices.ts';
import { invoicePdf } from './invoice-pdf.ts';

/**
 * The PDF of an invoice in the state it is in. It is drawn once, mostly by the job before anyone asks, and kept: whoever
 * asks later gets the same bytes.
 */
export async function invoiceDocument({ db, clock }: BillingContext, invoice: Invoice): Promise<Buffer> {
  const connection = db.kysely<unknown>();
  const { id: invoiceId, project, state } = invoice;
  const kept = await findDocument(connection, invoiceId, state);
  if (kept) return kept;
  await keepDocument(connection, { project, invoiceId, state, content: await invoicePdf(invoice), at: clock.now() });
  const drawn = await findDocument(connection, invoiceId, state);
  if (!drawn) throw new RangeError(`the document of invoice ${invoiceId} is gone`);
  return drawn;
}

/** Draws one invoice for the job. Throws `resource.not_found`. */
export async function drawInvoice(context: BillingContext, project: string, invoiceId: string): Promise<void> {
  const stored = await findInvoice(context.db.kysely<unknown>(), project, invoiceId);
  if (!stored) throw new Problem('resource.not_found', { detail: `project ${project} has no invoice ${invoiceId}` });
  await invoiceDocument(context, stored.invoice);
}
