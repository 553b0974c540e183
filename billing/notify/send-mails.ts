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

/**
 *   queued ──the server took it──► sent
 *     │ ▲ refused: again by the job queue, then in the next round
 *     ▼ │
 *   failed after ATTEMPTS, or at once without a mail server ──retry──► queued
 *
 * A mail may arrive twice where a replica dies between the server's yes and the commit; its Message-ID is the same then.
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

export async function sendMail(context: BillingContext, mailer: Mailer | null, id: string): Promise<void> {
  const refusal = await context.db.transaction(async (tx) => {
    const db = tx.kysely<unknown>();
    const mail = await claimMail(db, id);
    if (!mail) return null;
    if (mailer === null) {
      await mailRefused(db, id, 'there is no mail server; set SKYRUN_SMTP_URL, then try again', null);
      return null;
    }
    try {
      await mailer.send(mail);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const last = mail.attempts + 1 >= ATTEMPTS;
      await mailRefused(db, id, message.slice(0, 500), last ? null : context.clock.now() + ROUND_MS);
      return error;
    }
    await mailSent(db, id, context.clock.now());
    return null;
  });
  // Thrown after the commit, so that the attempt is on record and the job queue tries again.
  if (refusal !== null) throw refusal;
}
