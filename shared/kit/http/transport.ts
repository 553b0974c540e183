import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { nodeHttp } from './node-http.ts';

export interface TransportRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A stream is sent as it comes. */
  readonly body?: string | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** An answer of which the head has come. Its body is read once, by `text` or by `chunks`, or left by `discard`. */
export interface TransportAnswer {
  readonly status: number;
  readonly headers: Pick<Headers, 'get'>;
  text(): Promise<string>;
  chunks(): AsyncIterable<Uint8Array>;
  discard(): Promise<void>;
}

/** How a typed client reaches its service. Rejects where no answer comes. */
export type Transport = (url: string, request: TransportRequest) => Promise<TransportAnswer>;

export function createFetchTransport(fetcher: typeof fetch): Transport {
  return async (url, { method, headers, body, signal }) => {
    const init: RequestInit & { duplex?: 'half'; window?: null } = { method, headers, ...(signal ? { signal } : {}) };
    if (typeof body === 'string') {
      init.body = body;
    } else if (body !== undefined) {
      init.body = body;
      init.duplex = 'half';
      // fetch keeps a second copy of a body that it may have to send again after a redirect; ours has no end in memory.
      init.redirect = 'error';
      init.window = null;
    }
    const response = await fetcher(url, init);
    return {
      status: response.status,
      headers: response.headers,
      text: () => response.text(),
      chunks: () => (response.body === null ? Readable.from([]) : Readable.fromWeb(response.body)),
      discard: async () => response.body?.cancel(),
    };
  };
}

/** A service that has taken a connection and says nothing for so long is gone; fetch has the same bound. */
const SILENCE_MS = 300_000;
/** What may be asked again when the connection that it went out on turns out to be closed (RFC 9110 §9.2.2). */
const REPEATABLE = ['GET', 'HEAD', 'PUT', 'DELETE'];

/** By Node's own HTTP/1.1 client, for processes that fetch is too heavy for. Follows no redirects. */
export function createHttpTransport(): Transport {
  const keepAlive = { keepAlive: true };
  const plain = { request: nodeHttp.request, agent: new nodeHttp.Agent(keepAlive) };
  let encrypted: { request: typeof nodeHttp.request; agent: InstanceType<typeof nodeHttp.Agent> } | undefined;

  const protocolOf = (url: string) => {
    if (!url.startsWith('https:')) return plain;
    const { request, Agent } = process.getBuiltinModule('node:https');
    encrypted ??= { request, agent: new Agent(keepAlive) };
    return encrypted;
  };

  async function attempt(url: string, { method, headers, body, signal }: TransportRequest, mayRepeat: boolean) {
    const { request, agent } = protocolOf(url);
    const options: RequestOptions = { method, headers, agent, timeout: SILENCE_MS, ...(signal ? { signal } : {}) };
    const sent = request(url, options);
    sent.on('timeout', () => sent.destroy(new Error('the service says nothing')));
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve);
      // Also after the answer, whose own error tells then.
      sent.on('error', reject);
    });
    if (body === undefined || typeof body === 'string') sent.end(body);
    else pipeline(Readable.from(body), sent).catch((error: Error) => sent.destroy(error));
    try {
      return await answered;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (mayRepeat && closedMeanwhile(sent, error)) return null;
      throw error;
    }
  }

  return async (url, request) => {
    const repeatable = REPEATABLE.includes(request.method) && typeof request.body !== 'object';
    const first = await attempt(url, request, repeatable);
    const answer = first ?? (await attempt(url, request, false));
    if (answer === null) throw new Error('no answer');
    return {
      status: answer.statusCode ?? 0,
      headers: {
        get(name) {
          const value = answer.headers[name.toLowerCase()];
          return value === undefined ? null : String(value);
        },
      },
      text: () => text(answer),
      chunks: () => answer,
      async discard() {
        // Read to its end, so that the connection can be used again: what is discarded is short.
        answer.resume();
      },
    };
  };
}

/** An idle connection that the service closed while the request was on its way. */
function closedMeanwhile(sent: ClientRequest, error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error)) return false;
  return sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}
