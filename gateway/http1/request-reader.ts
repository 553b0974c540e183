import { ChunkScanner } from './chunked.ts';
import { handshakeFault } from './handshake.ts';
import type { HeadMemory, KnownHead } from './head-memory.ts';
import { HeadReader } from './head-reader.ts';
import type { HeadText } from './head-text.ts';
import { KnownRequest } from './known-request.ts';
import { REQUEST_LIMITS } from './limits.ts';
import { hostOf, parseRequestFields, type RequestFields } from './request-fields.ts';
import { parseRequestLine } from './request-line.ts';

/** What a connection's requests were, by which its next ones are recognised and read faster. */
export interface RequestsBefore {
  /** The last whose head is remembered byte for byte; null: none is. */
  known: KnownHead<KnownRequest> | null;
  /** The last; null before the first. */
  last: KnownRequest | null;
}

/**
 * Reads the requests of one connection, head and body, however the bytes are split; and between two of them those of others.
 *
 *   head ──'head'──► body ──bodyDone──► head
 *     │                │
 *     └────'fault'─────┴──► the connection is of no use any more
 *
 * Clients repeat their lines and fields from one request to the next, so what the last text meant is kept beside it, and what
 * a whole head meant is shared by all connections of the client.
 */
export class RequestReader {
  /** Position in the chunk of the first byte after the head. */
  bodyStart = 0;
  bodyDone = true;
  fault = '';
  #remaining = 0;
  #forward: (fields: RequestFields) => string;
  readonly #chunks = new ChunkScanner();
  readonly #head: HeadReader<KnownRequest>;

  constructor(forward: (fields: RequestFields) => string, memory: HeadMemory<KnownRequest>) {
    this.#forward = forward;
    this.#head = new HeadReader({
      limits: REQUEST_LIMITS,
      memory,
      skipEmptyLine: true,
      firstLineFault,
      read: (head, start, end) => this.#parse(head, start, end),
    });
  }

  /** The head that was read last. */
  get request(): KnownRequest | null {
    return this.#head.meaning;
  }

  /** Whether a head has begun and is not whole. */
  get pending(): boolean {
    return this.#head.pending;
  }

  /** Another connection of the same client is read from now on, whose requests were these. */
  begin({ known, last }: RequestsBefore): void {
    const head = this.#head;
    head.reset();
    if (head.own !== known) head.own = known;
    if (head.meaning !== last) head.meaning = last;
    this.bodyDone = true;
  }

  /** Writes down what the connection's requests were until now. Mostly that is nothing new, and then nothing is written. */
  leave(before: RequestsBefore): void {
    const { own, meaning } = this.#head;
    if (before.known !== own) before.known = own;
    if (before.last !== meaning) before.last = meaning;
  }

  /** Bytes of a chunked body so far, without what frames them. */
  get chunkedBytes(): number {
    return this.request?.fields.framing === 'chunked' ? this.#chunks.content : 0;
  }

  readHead(chunk: Buffer, offset: number): 'more' | 'head' | 'fault' {
    const head = this.#head;
    const step = head.push(chunk, offset, chunk.length);
    if (step === 'more') return 'more';
    if (step === 'fault') return this.#fail(head.fault);
    this.bodyStart = head.bodyStart;
    const request = head.meaning;
    if (request === null) return 'more';
    const { fields } = request;
    this.#remaining = fields.contentLength;
    this.bodyDone = fields.framing === 'none';
    if (fields.framing === 'chunked') this.#chunks.reset();
    return 'head';
  }

  /** Returns what is wrong as text. */
  #parse(head: HeadText, start: number, end: number): KnownRequest | string {
    const { text } = head;
    const { request } = this;
    const lineEnd = text.indexOf('\r\n', start) + 2;
    const lineText = text.slice(start, lineEnd);
    const line = lineText === request?.lineText ? request.line : parseRequestLine(head, start);
    if (typeof line === 'string') return line;
    const block = text.slice(lineEnd, end);
    const known = block === request?.block ? request : this.#parseFields(head, lineEnd);
    if (typeof known === 'string') return known;
    const { fields, forwarded } = known;
    if (line.minor === 0 && fields.framing === 'chunked') return 'HTTP/1.0 has no Transfer-Encoding';
    if (line.authority !== null && !sameAuthority(line.authority, fields.authority, line.defaultPort)) {
      return 'the target and the Host header name different hosts';
    }
    const fault = fields.upgrade === '' ? null : handshakeFault(line, fields);
    if (fault !== null) return fault;
    return new KnownRequest({ line, lineText, fields, block, forwarded });
  }

  #parseFields(head: HeadText, start: number): Pick<KnownRequest, 'fields' | 'forwarded'> | string {
    const fields = parseRequestFields(head, start);
    return typeof fields === 'string' ? fields : { fields, forwarded: fields.kept + this.#forward(fields) };
  }

  /** Reads on in the body; returns the position after the last byte that belongs to it, or -1 for a fault. */
  readBody(chunk: Buffer, offset: number): number {
    if (this.bodyDone) return offset;
    if (this.request?.fields.framing === 'length') {
      const end = Math.min(chunk.length, offset + this.#remaining);
      this.#remaining -= end - offset;
      this.bodyDone = this.#remaining === 0;
      return end;
    }
    const end = this.#chunks.scan(chunk, offset, chunk.length);
    if (this.#chunks.phase === 'fault') {
      this.fault = this.#chunks.fault;
      return -1;
    }
    this.bodyDone = this.#chunks.done;
    return end;
  }

  #fail(fault: string): 'fault' {
    this.fault = fault;
    return 'fault';
  }
}

function firstLineFault(head: HeadText, start: number): string | null {
  const line = parseRequestLine(head, start);
  return typeof line === 'string' ? line : null;
}

function sameAuthority(target: string, host: string, defaultPort: string): boolean {
  const port = (authority: string) => /:(\d{1,5})$/.exec(authority)?.[1] ?? defaultPort;
  const name = hostOf(target);
  return name !== null && name === hostOf(host) && port(target) === port(host);
}
