import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Clock } from '@skyrun/kit';
import { type Address, type AddressPolicy, ForbiddenAddressError, permittedAddresses } from './address.ts';
import type { Message } from './message.ts';
import { type Outcome, retryAfterOf } from './verdict.ts';

/** What an answer's body may have; more is not read, and none of it is kept. */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface SenderOptions extends AddressPolicy {
  readonly clock: Clock;
  readonly timeoutMs: number;
}

export interface Sender {
  /** Posts once and follows no redirect. Never rejects but when `signal` is aborted. */
  send(destination: string, message: Message, signal: AbortSignal): Promise<Outcome>;
  /** Asks once with GET, as `send` posts. */
  probe(url: string, signal: AbortSignal): Promise<Outcome>;
  close(): void;
}

/**
 * The address is checked at each send and the connection goes to the very address that was checked: between a check and a
 * second look-up by the connection, a name could change its mind.
 */
export function createSender({ clock, timeoutMs, ...policy }: SenderOptions): Sender {
  const agents = { http: new HttpAgent(), https: new HttpsAgent() };

  async function attempt(destination: string, message: Message | null, signal: AbortSignal): Promise<Outcome> {
    const url = new URL(destination);
    const addresses = await permittedAddresses(url.hostname, policy);
    const { status, retryAfter } = await ask(url, message, addresses, signal);
    return { kind: 'answered', status, retryAfterMs: retryAfterOf(retryAfter, clock.now()) };
  }

  function ask(url: URL, message: Message | null, addresses: readonly Address[], signal: AbortSignal) {
    const options: RequestOptions = {
      method: message ? 'POST' : 'GET',
      headers: {
        ...(message ? { ...message.headers, 'content-length': Buffer.byteLength(message.body) } : {}),
        'user-agent': 'Skyrun',
      },
      lookup: pinnedTo(addresses),
      signal,
    };
    return new Promise<{ status: number; retryAfter: string | undefined }>((resolve, reject) => {
      const answered = (response: IncomingMessage) => {
        let bytes = 0;
        const settle = () => resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes <= MAX_ANSWER_BYTES) return;
          settle();
          response.destroy();
        });
        response.once('end', settle);
        response.once('error', reject);
      };
      const request =
        url.protocol === 'https:'
          ? httpsRequest(url, { ...options, agent: agents.https }, answered)
          : httpRequest(url, { ...options, agent: agents.http }, answered);
      request.once('error', reject);
      request.end(message?.body);
    });
  }

  async function bounded(destination: string, message: Message | null, signal: AbortSignal): Promise<Outcome> {
    const late = new AbortController();
    const cancel = clock.setTimeout(timeoutMs, () => late.abort());
    try {
      return await attempt(destination, message, AbortSignal.any([signal, late.signal]));
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof ForbiddenAddressError) return { kind: 'forbidden', error: error.message };
      return { kind: 'failed', error: late.signal.aborted ? `no answer within ${timeoutMs} ms` : reason(error) };
    } finally {
      cancel();
    }
  }

  return {
    send: bounded,
    probe: (url, signal) => bounded(url, null, signal),
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function pinnedTo(addresses: readonly Address[]): LookupFunction {
  return (_host, options, callback) => {
    const [first] = addresses;
    if (!first) callback(new Error('the name has no address'), '', 0);
    else if (options.all) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message.slice(0, 200);
}
