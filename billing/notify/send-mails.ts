import type { BillingContext } from '../context.ts';
import type { Job } from '../jobs/job.ts';
import { claimMail, dueMails, mailRefused, mailSent } from '../store/mails.ts';
import type { Mailer } from './mailer.ts';

/** After these a mail has failed for good, until somebody tries it again. */
const ATTEMPTS = 24;
/** Between rounds of attempts, in milliseconds; the job queue tries several times in a round. */
const ROUND_MS = 1_800_000;
const LOOK_MS = 3_000;
const AT_ONCE = 100;
/** How long a claim holds, in milliseconds: longer than the mailer's patience with all steps of a conversation. */
const CLAIM_MS = 120_000;

/**
 *   queued ──claim──► being sent ──the server took it──► sent
 *     │ ▲                │
 *     │ └──refused───────┘  again by the job queue, then in the next round; or the claim ran out
 *     ▼
 *   failed after ATTEMPTS, or at once without a mail server ──retry──► queued
 *
 * No transaction is open while the server is talked to. A mail may arrive twice where a replica dies between the server's yes
 * and its note of it; its Message-ID is the same then.
 */
export function mailJob(context: () => BillingContext, mailer: Mailer | null): Job {
  return {
    name: 'send-mails',
    everyMs: LOOK_MS,
    remembered: true,
    items() {
      const { db, clock } = context();
      return dueMails(db.kysely<unknown>(), clock.now(), AT_ONCE);
    },
    run: (id) => sendMail(context(), mailer, id),
  };
}

/** Throws what the server said, after the attempt is on record, so that the job queue tries again. */
export async function sendMail({ db, clock }: BillingContext, mailer: Mailer | null, id: string): Promise<void> {
  const connection = db.kysely<unknown>();
  const mail = await claimMail(connection, id, clock.now(), clock.now() + CLAIM_MS);
  if (!mail) return;
  if (mailer === null) {
    await mailRefused(connection, mail, 'there is no mail server; set SKYRUN_SMTP_URL, then try again', null);
    return;
  }
  try {
    await mailer.send(mail);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const dueAt = mail.attempt >= ATTEMPTS ? null : clock.now() + ROUND_MS;
    await mailRefused(connection, mail, message.slice(0, 500), dueAt);
    throw error;
  }
  await mailSent(connection, id, clock.now());
}
