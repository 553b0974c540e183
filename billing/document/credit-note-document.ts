import { Problem } from '@skyrun/contracts';
import type { BillingContext } from '../context.ts';
import { findCreditNote } from '../store/credit-notes.ts';
import { findCreditNoteDocument, keepCreditNoteDocument } from '../store/documents.ts';
import { findInvoice } from '../store/invoices.ts';
import { creditNotePdf } from './credit-note-pdf.ts';

export interface CreditNoteFile {
  readonly number: string;
  readonly content: Buffer;
}

/**
 * The PDF of a credit note, drawn once, mostly by the job before anyone asks, and kept: whoever asks later gets the same
 * bytes. Throws `resource.not_found`.
 */
export async function creditNoteDocument(
  { db, clock }: BillingContext,
  project: string,
  id: string,
): Promise<CreditNoteFile> {
  const connection = db.kysely<unknown>();
  const note = await findCreditNote(connection, project, id);
  const stored = note && (await findInvoice(connection, project, note.invoiceId));
  if (!note || !stored) {
    throw new Problem('resource.not_found', { detail: `project ${project} has no credit note ${id}` });
  }
  const kept = await findCreditNoteDocument(connection, id);
  if (kept) return { number: note.number, content: kept };
  await keepCreditNoteDocument(connection, id, await creditNotePdf(note, stored.invoice), clock.now());
  const drawn = await findCreditNoteDocument(connection, id);
  if (!drawn) throw new RangeError(`the document of credit note ${id} is gone`);
  return { number: note.number, content: drawn };
}
