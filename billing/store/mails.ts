import type { BillingMail } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { sql } from 'kysely';
import type { Sql } from './sql.ts';

export async function contactsOf(db: Sql, project: string): Promise<string[]> {
  const found = await sql<{ email: string }>`
    SELECT email FROM billing_contact WHERE project = ${project} ORDER BY email`.execute(db);
  return found.rows.map(({ email }) => email);
}

export async function putContacts(db: Sql, project: string, emails: readonly string[]): Promise<void> {
  await sql`DELETE FROM billing_contact WHERE project = ${project}`.execute(db);
  await sql`INSERT INTO billing_contact (project, email)
    SELECT ${project}, * FROM unnest(${[...emails]}::text[])`.execute(db);
}

export interface NewMail {
  readonly id: string;
  readonly project: string;
  /** What it is about; one mail per cause and recipient. */
  readonly cause: string;
  readonly recipient: string;
  readonly subject: string;
  readonly body: string;
  readonly at: number;
}

/** Queues mails; one that is there already stays as it is. */
export async function insertMails(db: Sql, mails: readonly NewMail[]): Promise<void> {
  const column = (of: (mail: NewMail) => string) => mails.map(of);
  await sql`
    INSERT INTO mail (id, project, cause, recipient, subject, body, state, due_at, created_at)
    SELECT id, project, cause, recipient, subject, body, 'queued', at, at FROM unnest(
      ${column((mail) => mail.id)}::text[], ${column((mail) => mail.project)}::text[],
      ${column((mail) => mail.cause)}::text[], ${column((mail) => mail.recipient)}::text[],
      ${column((mail) => mail.subject)}::text[], ${column((mail) => mail.body)}::text[],
      ${mails.map((mail) => mail.at)}::int8[]) AS fresh (id, project, cause, recipient, subject, body, at)
    ON CONFLICT (cause, recipient) DO NOTHING`.execute(db);
}

/** Whether a mail about something that begins like `cause` was queued after `since`. */
export async function mailedSince(db: Sql, project: string, cause: string, since: number): Promise<boolean> {
  const found = await sql`
    SELECT 1 FROM mail WHERE project = ${project} AND created_at > ${since}::int8 AND starts_with(cause, ${cause})
    LIMIT 1`.execute(db);
  return found.rows.length > 0;
}

/** What is to be sent and nobody is sending. */
export async function dueMails(db: Sql, now: number, limit: number): Promise<string[]> {
  const found = await sql<{ id: string }>`
    SELECT id FROM mail WHERE state = 'queued' AND due_at <= ${now}::int8
      AND (claimed_until IS NULL OR claimed_until <= ${now}::int8)
    ORDER BY due_at LIMIT ${limit}`.execute(db);
  return found.rows.map(({ id }) => id);
}

export interface ClaimedMail {
  readonly id: string;
  readonly recipient: string;
  readonly subject: string;
  readonly body: string;
  /** With the one that is being made; it tells this claim from a later one. */
  readonly attempt: number;
}

/** Takes a queued mail for so long; undefined where it is done, or somebody else has it. */
export async function claimMail(db: Sql, id: string, now: number, until: number): Promise<ClaimedMail | undefined> {
  const found = await sql<ClaimedMail>`
    UPDATE mail SET claimed_until = ${until}::int8, attempts = attempts + 1
    WHERE id = (SELECT id FROM mail WHERE id = ${id} AND state = 'queued'
      AND (claimed_until IS NULL OR claimed_until <= ${now}::int8) FOR UPDATE SKIP LOCKED)
    RETURNING id, recipient, subject, body, attempts AS attempt`.execute(db);
  return found.rows[0];
}

/** It is sent whoever claimed it meanwhile. */
export async function mailSent(db: Sql, id: string, at: number): Promise<void> {
  await sql`UPDATE mail SET state = 'sent', error = NULL, due_at = NULL, claimed_until = NULL, sent_at = ${at}::int8
    WHERE id = ${id} AND state = 'queued'`.execute(db);
}

/**
 * Gives a claim back; one that somebody else took over since stays theirs.
 *
 * @param dueAt of the next attempt; null to give up.
 */
export async function mailRefused(
  db: Sql,
  { id, attempt }: Pick<ClaimedMail, 'id' | 'attempt'>,
  error: string,
  dueAt: number | null,
): Promise<void> {
  await sql`UPDATE mail SET state = ${dueAt === null ? 'failed' : 'queued'}, error = ${error}, due_at = ${dueAt}::int8,
    claimed_until = NULL WHERE id = ${id} AND attempts = ${attempt} AND state = 'queued'`.execute(db);
}

/** Queues a failed mail again with fresh attempts; false where it did not fail. */
export async function requeueMail(db: Sql, project: string, id: string, now: number): Promise<boolean> {
  const found = await sql`UPDATE mail SET state = 'queued', attempts = 0, due_at = ${now}::int8
    WHERE project = ${project} AND id = ${id} AND state = 'failed' RETURNING 1`.execute(db);
  return found.rows.length > 0;
}

export interface StoredMail {
  readonly seq: number;
  readonly mail: BillingMail;
}

/** Newest first; `before` is the seq to go on after. With `ids`, only those. */
export async function listMails(
  db: Sql,
  project: string,
  { before, limit, ids }: { before: number | null; limit: number; ids?: readonly string[] },
): Promise<StoredMail[]> {
  const found = await sql<MailRecord>`
    SELECT seq::float8 AS seq, id, project, recipient, subject, state, attempts, error, created_at::float8 AS "createdAt",
      due_at::float8 AS "dueAt", sent_at::float8 AS "sentAt"
    FROM mail WHERE project = ${project} AND (${before}::int8 IS NULL OR seq < ${before}::int8)
      AND (${ids ? [...ids] : null}::text[] IS NULL OR id = ANY(${ids ? [...ids] : null}::text[]))
    ORDER BY seq DESC LIMIT ${limit}`.execute(db);
  return found.rows.map(({ seq, createdAt, dueAt, sentAt, ...mail }) => ({
    seq,
    mail: {
      ...mail,
      createdAt: isoTime(createdAt),
      dueAt: dueAt === null ? null : isoTime(dueAt),
      sentAt: sentAt === null ? null : isoTime(sentAt),
    },
  }));
}

interface MailRecord extends Omit<BillingMail, 'createdAt' | 'dueAt' | 'sentAt'> {
  readonly seq: number;
  readonly createdAt: number;
  readonly dueAt: number | null;
  readonly sentAt: number | null;
}
