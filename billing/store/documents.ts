import { sql } from 'kysely';
import type { Sql } from './sql.ts';

interface Place {
  readonly project: string;
  readonly invoiceId: string;
}

/** Finalized invoices that were not drawn in the state they are in, oldest first. */
export async function undrawnInvoices(db: Sql, limit: number): Promise<Place[]> {
  const found = await sql<Place>`
    SELECT project, id AS "invoiceId" FROM invoice i
    WHERE state <> 'draft' AND NOT EXISTS (SELECT 1 FROM document d WHERE d.invoice_id = i.id AND d.state = i.state)
    ORDER BY created_at LIMIT ${limit}`.execute(db);
  return found.rows;
}

export async function findDocument(db: Sql, invoiceId: string, state: string): Promise<Buffer | undefined> {
  const found = await sql<{ content: Buffer }>`
    SELECT content FROM document WHERE invoice_id = ${invoiceId} AND state = ${state}`.execute(db);
  return found.rows[0]?.content;
}

/** Keeps the first one that was drawn. */
export async function keepDocument(
  db: Sql,
  { project, invoiceId, state, content, at }: Place & { readonly state: string; readonly content: Buffer; at: number },
): Promise<void> {
  await sql`INSERT INTO document (invoice_id, state, project, content, drawn_at)
    VALUES (${invoiceId}, ${state}, ${project}, ${content}, ${at}::int8) ON CONFLICT DO NOTHING`.execute(db);
}

/** Credit notes that were not drawn, oldest first. */
export async function undrawnCreditNotes(
  db: Sql,
  limit: number,
): Promise<{ readonly project: string; readonly creditNoteId: string }[]> {
  const found = await sql<{ project: string; creditNoteId: string }>`
    SELECT project, id AS "creditNoteId" FROM credit_note n
    WHERE NOT EXISTS (SELECT 1 FROM credit_note_document d WHERE d.credit_note_id = n.id)
    ORDER BY created_at LIMIT ${limit}`.execute(db);
  return found.rows;
}

export async function findCreditNoteDocument(db: Sql, id: string): Promise<Buffer | undefined> {
  const found = await sql<{ content: Buffer }>`
    SELECT content FROM credit_note_document WHERE credit_note_id = ${id}`.execute(db);
  return found.rows[0]?.content;
}

/** Keeps the first one that was drawn. */
export async function keepCreditNoteDocument(db: Sql, id: string, content: Buffer, at: number): Promise<void> {
  await sql`INSERT INTO credit_note_document (credit_note_id, content, drawn_at)
    VALUES (${id}, ${content}, ${at}::int8) ON CONFLICT DO NOTHING`.execute(db);
}
