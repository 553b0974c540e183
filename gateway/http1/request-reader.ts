import { ChunkScanner } from './chunked.ts';
import { flat } from './flat.ts';
import { HeadReader } from './head-reader.ts';
import { REQUEST_LIMITS } from './limits.ts';
import { hostOf, parseRequestFields, type RequestFields } from './request-fields.ts';
import { parseRequestLine, type RequestLine } from './request-line.ts';

/** What the fields of a request mean to its connection, made once for an equal text. */
export interface KnownFields {
  readonly fields: RequestFields;
  /** What the gateway sends on instead of them, up to the request's own ids. */
  readonly forwarded: string;
}

/**
 * Reads the requests of one connection, head and body, however the bytes are split.
 *
 *   head ──'head'──► body ──bodyDone──► head
 *     │                │
 *     └────'fault'─────┴──► the connection is of no use any more
 *
 * Clients repeat their lines and fields from one request to the next, so what the last text meant is kept beside it.
 */
export class RequestReader {
  line: RequestLine | null = null;
  known: KnownFields | null = null;
  /** The request line as it came, with CR LF. */
  lineText = '';
  /** Position in the chunk of the first byte after the head. */
  bodyStart = 0;
  bodyDone = true;
  fault = '';
  #lastBlock = '';
  #remaining = 0;
  #forward: (fields: RequestFields) => string;
  readonly #chunks = new ChunkScanner();
  readonly #head = new HeadReader({
    limits: REQUEST_LIMITS,
    skipEmptyLine: true,
    firstLineFault: (text, start) => {
      const line = parseRequestLine(text, start);
      return typeof line === 'string' ? line : null;
    },
  });

  constructor(forward: (fields: RequestFields) => string) {
    this.#forward = forward;
  }

  /** Whether a head has begun and is not whole. */
  get pending(): boolean {
    return this.#head.pending;
  }

  /** Another connection of the same client is read from now on; what was learnt stays. */
  reset(): void {
    this.#head.reset();
    this.bodyDone = true;
  }

  /** Bytes of a chunked body so far, without what frames them. */
  get chunkedBytes(): number {
    return this.known?.fields.framing === 'chunked' ? this.#chunks.content : 0;
  }

  readHead(chunk: Buffer, offset: number): 'more' | 'head' | 'fault' {
    const step = this.#head.push(chunk, offset, chunk.length);
    if (step === 'more') return 'more';
    if (step === 'fault') return this.#fail(this.#head.fault);
    this.bodyStart = this.#head.bodyStart;
    if (this.#head.repeated && this.line !== null && this.known !== null) {
      return this.#begin(this.line, this.known.fields);
    }
    const { text, start, end } = this.#head;
    const lineEnd = text.indexOf('\r\n', start) + 2;
    const lineText = text.slice(start, lineEnd);
    if (this.line === null || lineText !== this.lineText) {
      const line = parseRequestLine(text, start);
      if (typeof line === 'string') return this.#fail(line);
      this.line = line;
      this.lineText = lineText;
    }
    const block = text.slice(lineEnd, end);
    if (this.known === null || block !== this.#lastBlock) {
      const fields = parseRequestFields(text, lineEnd);
      if (typeof fields === 'string') return this.#fail(fields);
      this.known = { fields, forwarded: flat(fields.kept + this.#forward(fields)) };
      this.#lastBlock = block;
    }
    return this.#begin(this.line, this.known.fields);
  }

  #begin(line: RequestLine, fields: RequestFields): 'head' | 'fault' {
    if (line.minor === 0 && fields.framing === 'chunked') return this.#fail('HTTP/1.0 has no Transfer-Encoding');
    if (line.authority !== null && !sameAuthority(line.authority, fields.authority)) {
      return this.#fail('the target and the Host header name different hosts');
    }
    this.#remaining = fields.contentLength;
    this.bodyDone = fields.framing === 'none';
    if (fields.framing === 'chunked') this.#chunks.reset();
    return 'head';
  }

  /** Reads on in the body; returns the position after the last byte that belongs to it, or -1 for a fault. */
  readBody(chunk: Buffer, offset: number): number {
    if (this.bodyDone) return offset;
    if (this.known?.fields.framing === 'length') {
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

function sameAuthority(target: string, host: string): boolean {
  const port = (authority: string) => /:(\d{1,5})$/.exec(authority)?.[1] ?? '80';
  const name = hostOf(target);
  return name !== null && name === hostOf(host) && port(target) === port(host);
}
