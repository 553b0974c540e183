import type { Clock, Transport, TransportAnswer, TransportRequest } from '@skyrun/kit/base';
import type { ChunkScanner } from '../http1/chunked.ts';
import { isIdempotent } from '../http1/request-line.ts';
import type { ResponseFields, ResponseHead } from '../http1/response-head.ts';
import type { Carrier, RequestKind } from '../upstream/carrier.ts';
import { PlainUpstreams } from '../upstream/plain-upstreams.ts';
import type { ReadBytes } from '../upstream/read-buffer.ts';
import type { Loss, ResponseReceiver } from '../upstream/response-receiver.ts';
import { Turns } from './turns.ts';

/** From the sending of a call to the end of its answer. */
const ANSWER_MS = 30_000;
/** How many connections may be found closed, of which the last is new. */
const MAX_TRIES = 3;
/** What may stand in a field of a head (RFC 9110 §5.5). */
const FIELD = /^[\t\x20-\x7e\x80-\xff]*$/;

interface Place {
  /** As the Host field names it. */
  readonly host: string;
  readonly upstreams: PlainUpstreams;
}

/**
 * The gateway's own calls, on the connections and by the reader that its requests use: those are compiled and at hand, and
 * Node's client, which a gateway would use a few times a second, is neither and holds up requests for a millisecond each time.
 * Sending and answer each have a turn of their own.
 *
 * Takes `http:` URLs, bodies that are text, and answers that are read to their end; the rest goes to `otherwise`.
 */
export function createCallTransport(options: { readonly clock: Clock; readonly otherwise: Transport }): Transport {
  const { clock, otherwise } = options;
  const places = new Map<string, Place>();
  const turns = new Turns();

  const placeOf = (origin: string): Place => {
    const known = places.get(origin);
    if (known !== undefined) return known;
    const { host, hostname, port } = new URL(origin);
    const address = hostname.replace(/^\[(.*)\]$/, '$1');
    const place = { host, upstreams: new PlainUpstreams({ address, port: port === '' ? 80 : Number(port) }) };
    places.set(origin, place);
    return place;
  };

  const attempt = async (url: string, request: TransportRequest, body: string): Promise<Call> => {
    const slash = url.indexOf('/', 'http://'.length);
    const { host, upstreams } = placeOf(slash === -1 ? url : url.slice(0, slash));
    const head = headOf(request, { host, target: slash === -1 ? '/' : url.slice(slash), body });
    await turns.own();
    request.signal?.throwIfAborted();
    const now = clock.monotonic();
    const call = new Call(request.method, upstreams.open(kindOf(request, body), now), () => clock.monotonic());
    const stop = () => call.abandon(request.signal?.reason);
    const cancel = clock.setTimeout(ANSWER_MS, () => call.abandon(new Error('no whole answer came in time')));
    request.signal?.addEventListener('abort', stop, { once: true });
    call.send(head, body);
    try {
      await call.ended;
    } finally {
      cancel();
      request.signal?.removeEventListener('abort', stop);
    }
    return call;
  };

  return async (url, request) => {
    const { body = '' } = request;
    const streamed = request.headers['accept'] === 'application/x-ndjson';
    if (typeof body !== 'string' || streamed || !url.startsWith('http://')) return otherwise(url, request);
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const call = await attempt(url, request, body);
      if (call.mayRepeat) continue;
      await turns.own();
      return call.answer();
    }
    throw new Error('the service closes its connections without an answer');
  };
}

function headOf(
  { method, headers }: TransportRequest,
  { host, target, body }: { readonly host: string; readonly target: string; readonly body: string },
): string {
  let head = `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (!FIELD.test(value)) throw new TypeError(`the header ${name} has a character that no header may have`);
    head += `${name}: ${value}\r\n`;
  }
  const length = method === 'GET' && body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return `${head}${length}\r\n`;
}

function kindOf({ method }: TransportRequest, body: string): RequestKind {
  const framing = body === '' ? 'none' : 'length';
  return { line: { method }, fields: { framing, contentLength: body.length, upgrade: '', expect: '' } };
}

/** One call on its connection. */
class Call implements ResponseReceiver {
  readonly method: string;
  /** Resolves when the answer is whole, or the service had closed an idle connection. Rejects where none will come. */
  readonly ended: Promise<void>;
  /** It met a connection that the service had just closed: another may carry it. */
  mayRepeat = false;
  #carrier: Carrier | null;
  #head: ResponseHead | null = null;
  #pieces: Buffer[] = [];
  #text: { readonly head: string; readonly body: string } | null = null;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  readonly #now: () => number;

  /** `now`: monotonic ms. */
  constructor(method: string, carrier: Carrier, now: () => number) {
    this.method = method;
    this.#carrier = carrier;
    this.#now = now;
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  send(head: string, body: string): void {
    const carrier = this.#carrier;
    if (carrier === null) return;
    this.#text = { head, body };
    carrier.take(this);
    if (carrier.connected) this.onConnected();
  }

  onConnected(): void {
    if (this.#text === null) return;
    const { head, body } = this.#text;
    this.#text = null;
    if (Buffer.byteLength(body) === body.length) {
      this.#carrier?.writeText(head, '', body);
      return;
    }
    this.#carrier?.writeText(head, '', '');
    this.#carrier?.write(Buffer.from(body));
  }

  onInterim(): void {
    // Nothing is done early here.
  }

  onSwitch(): boolean {
    return false;
  }

  onResponse(head: ResponseHead, _framing: ResponseFields['framing']): void {
    this.#head = head;
  }

  onContent(bytes: ReadBytes, start: number, end: number): void {
    this.#pieces.push(bytes.copy(start, end));
  }

  onChunked(bytes: ReadBytes, start: number, end: number, chunks: ChunkScanner): number {
    return bytes.scan(chunks, start, end, (from, to) => this.onContent(bytes, from, to));
  }

  onTrailer(): void {
    // Nobody asks for them.
  }

  onTunnelData(): void {
    // No call becomes a tunnel.
  }

  onTunnelEnd(): void {
    // No call becomes a tunnel.
  }

  onResponseEnd(reusable: boolean): void {
    const carrier = this.#carrier;
    this.#carrier = null;
    if (reusable) carrier?.release(this.#now());
    else carrier?.destroy();
    this.#resolve();
  }

  onReadEnd(): boolean {
    return true;
  }

  onUpstreamDrain(): void {
    // All of it was written at once.
  }

  onLost({ cause, detail, answered }: Loss): void {
    // As for requests (RFC 9110 §9.2.2): what is safe to do twice, and only where the connection's age tells why.
    this.mayRepeat = cause === 'closed' && !answered && this.#carrier?.reused === true && isIdempotent(this.method);
    this.#carrier = null;
    if (this.mayRepeat) this.#resolve();
    else this.#reject(new Error(detail));
  }

  /** Nobody waits for the answer any more. */
  abandon(reason: unknown): void {
    this.#carrier?.destroy();
    this.#carrier = null;
    this.#reject(reason);
  }

  answer(): TransportAnswer {
    const head = this.#head;
    const body = this.#pieces;
    return {
      status: head?.line.status ?? 0,
      headers: { get: (name) => fieldOf(head?.fields.kept ?? '', name.toLowerCase()) },
      text: async () => Buffer.concat(body).toString(),
      async *chunks() {
        yield* body;
      },
      discard: async () => undefined,
    };
  }
}

/** The value of the field `name` of a head's lines, or null. */
function fieldOf(lines: string, name: string): string | null {
  for (const line of lines.split('\r\n')) {
    const colon = line.indexOf(':');
    if (line.slice(0, colon).toLowerCase() === name) return line.slice(colon + 1).trim();
  }
  return null;
}
