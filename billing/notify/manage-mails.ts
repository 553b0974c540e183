import { type BillingContacts, type BillingMail, Problem } from '@skyrun/contracts';
import { newId } from '@skyrun/kit';
import type { BillingContext } from '../context.ts';
import { contactsOf, insertMails, listMails, mailedSince, putContacts, requeueMail } from '../store/mails.ts';
import type { Sql } from '../store/sql.ts';
import { type Letter, letterOf, type NoticeEvent, testLetter } from './notice.ts';

export async function getContacts(
  context: BillingContext,
  project: string,
  mailServer: boolean,
): Promise<BillingContacts> {
  return { project, emails: await contactsOf(context.db.kysely<unknown>(), project), mailServer };
}

export async function replaceContacts(
  context: BillingContext,
  project: string,
  emails: readonly string[],
  mailServer: boolean,
): Promise<BillingContacts> {
  await context.db.transaction((tx) => putContacts(tx.kysely<unknown>(), project, emails));
  return getContacts(context, project, mailServer);
}

/** Queues a mail to each contact about an event; once, however often the event is delivered. */
export async function tellContacts(context: BillingContext, event: NoticeEvent): Promise<void> {
  await queue(context.db.kysely<unknown>(), context, event.data.project, event.id, letterOf(event));
}

/** Contacts are whatever a project writes down: so often, and no oftener, it may have them written to at will. */
const TEST_EVERY_MS = 60_000;
const TEST_CAUSE = 'test ';

/** Throws `resource.conflict` where nobody would get it, or where they got one just now. */
export async function sendTestMail(context: BillingContext, project: string): Promise<BillingMail[]> {
  const ids = await context.db.transaction(async (tx) => {
    const db = tx.kysely<unknown>();
    // One at a time, so that nobody asks many times at once.
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('test mail ' || $1::text, 0))`, [project]);
    if (await mailedSince(db, project, TEST_CAUSE, context.clock.now() - TEST_EVERY_MS)) {
      throw new Problem('resource.conflict', {
        detail: `project ${project} had a test less than a minute ago; wait, then send another one`,
        retryAfterSeconds: TEST_EVERY_MS / 1000,
      });
    }
    return await queue(db, context, project, TEST_CAUSE + newId('event', context.clock), testLetter(project));
  });
  if (ids.length === 0) {
    throw new Problem('resource.conflict', { detail: `project ${project} has no billing contact; add one first` });
  }
  const stored = await listMails(context.db.kysely<unknown>(), project, { before: null, limit: ids.length, ids });
  return stored.map(({ mail }) => mail);
}

/** Throws `resource.not_found`, or `resource.conflict` for a mail that did not fail. */
export async function retryMail(context: BillingContext, project: string, id: string): Promise<BillingMail> {
  const db = context.db.kysely<unknown>();
  const again = await requeueMail(db, project, id, context.clock.now());
  const [stored] = await listMails(db, project, { before: null, limit: 1, ids: [id] });
  if (!stored) throw new Problem('resource.not_found', { detail: `project ${project} has no mail ${id}` });
  if (!again) {
    throw new Problem('resource.conflict', {
      detail: `mail ${id} is ${stored.mail.state}; only a failed one can be tried again`,
    });
  }
  return stored.mail;
}

async function queue(
  db: Sql,
  context: Pick<BillingContext, 'clock'>,
  project: string,
  cause: string,
  letter: Letter,
): Promise<string[]> {
  const at = context.clock.now();
  const mails = (await contactsOf(db, project)).map((recipient) => ({
    id: newId('mail', context.clock),
    project,
    cause,
    recipient,
    ...letter,
    at,
  }));
  if (mails.length > 0) await insertMails(db, mails);
  return mails.map(({ id }) => id);
}
