import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A CloudEvent as a webhook gets it, its signature checked. */
export interface Notice {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
}

export interface Receiver {
  readonly url: string;
  /** What was delivered with a signature of `secret`, in order of arrival; each event once. */
  noticesSignedBy(secret: string): readonly Notice[];
  close(): Promise<void>;
}

/** Somebody's endpoint for structured events: it takes everything and looks at the signatures afterwards. */
export async function startReceiver(): Promise<Receiver> {
  const received: { readonly signed: string; readonly signatures: readonly string[]; readonly notice: Notice }[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const { headers } = request;
    received.push({
      signed: `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`,
      signatures: String(headers['webhook-signature']).split(' '),
      notice: JSON.parse(body) as Notice,
    });
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/notices`,
    noticesSignedBy(secret) {
      const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
      const fits = received.filter(({ signed, signatures }) =>
        signatures.includes(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`),
      );
      return [...new Map(fits.map(({ notice }) => [notice.id, notice])).values()];
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
