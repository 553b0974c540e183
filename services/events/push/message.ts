import { createHmac } from 'node:crypto';
import type { EventEnvelope } from '@skyrun/contracts';

export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A CloudEvent in an HTTP request (CloudEvents 1.0.2, HTTP protocol binding §3.1 and §3.2). */
export function toMessage(event: EventEnvelope, mode: 'binary' | 'structured'): Message {
  if (mode === 'structured') {
    return {
      headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
      body: JSON.stringify(event),
    };
  }
  const { data, datacontenttype, ...attributes } = event;
  const headers: Record<string, string> = { 'content-type': datacontenttype };
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) headers[`ce-${name}`] = encodeHeader(String(value));
  }
  return { headers, body: JSON.stringify(data) };
}

/** §3.1.3.2: space, double quote, percent and all outside printable ASCII are percent-encoded as UTF-8. */
function encodeHeader(value: string): string {
  return value
    .toWellFormed()
    .replace(/[^\x21\x23\x24\x26-\x7e]/gu, (character) =>
      [...Buffer.from(character, 'utf8')]
        .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
        .join(''),
    );
}

export interface Signed {
  readonly id: string;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly body: string;
}

const SECRET_PREFIX = 'whsec_';

/**
 * Headers of Standard Webhooks: HMAC-SHA256 of `id.timestamp.body` with each secret, so that a receiver may know either of two
 * while they are exchanged. In binary mode the CloudEvents attributes are headers and not covered, but for the id.
 */
export function signatureHeaders({ id, timestamp, body }: Signed, secrets: readonly string[]): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}

export function makeSecret(random: Buffer): string {
  return `${SECRET_PREFIX}${random.toString('base64')}`;
}
