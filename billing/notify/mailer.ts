import { createTransport } from 'nodemailer';
import type { Letter } from './notice.ts';

export interface OutgoingMail extends Letter {
  /** Stays the same over attempts, so that a server or a reader can tell a repetition. */
  readonly id: string;
  readonly recipient: string;
}

/** Hands mails to a mail server. */
export interface Mailer {
  /** Resolves when the server took it; throws what the server said. */
  send(mail: OutgoingMail): Promise<void>;
  close(): void;
}

/** How long each step of talking to the server may take, in milliseconds. */
const PATIENCE_MS = 15_000;

/** @param url e.g. `smtp://user:password@mail.example.com:587` or `smtps://…`. */
export function createSmtpMailer({ url, from }: { readonly url: string; readonly from: string }): Mailer {
  const transport = createTransport(
    {
      url,
      connectionTimeout: PATIENCE_MS,
      greetingTimeout: PATIENCE_MS,
      socketTimeout: PATIENCE_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  );
  return {
    async send({ id, recipient, subject, body }) {
      await transport.sendMail({
        to: recipient,
        subject,
        text: body,
        messageId: `<${id}@skyrun>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
    },
    close: () => transport.close(),
  };
}
