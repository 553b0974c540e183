import { type BillingContacts, type BillingMail, Problem } from '@skyrun/contracts';
import { newId } from '@skyrun/kit';
import type { BillingContext } from '../context.ts';
import { contactsOf, insertMails, listMails, putContacts, requeueMail } from '../store/mails.ts';
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
  await queue(context, event.data.project, event.id, letterOf(event));
}

/** Throws `resource.conflict` where nobody would get it. */
export async function sendTestMail(context: BillingContext, project: string): Promise<BillingMail[]> {
  const ids = await queue(context, project, newId('event', context.clock), testLetter(project));
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

async function queue(context: BillingContext, project: string, cause: string, letter: Letter): Promise<string[]> {
  const db = context.db.kysely<unknown>();
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
