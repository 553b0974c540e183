import { flat } from '../http1/flat.ts';
import type { RequestFields } from '../http1/request-fields.ts';
import type { RequestLine } from '../http1/request-line.ts';
import type { RequestRecord } from '../observe/request-record.ts';
import { idFieldOf, idTail, type RandomHex, requestIdOf, traceOf, traceparentOf } from './ids.ts';
import type { RequestOrigin } from './request-origin.ts';

/** A request, and what it is known by. Its ids are kept as they are sent: most requests need them in no other form. */
export class RequestHead {
  readonly line: RequestLine;
  readonly fields: RequestFields;
  /** What is written down of it; null where nobody wants to know. */
  record: RequestRecord | null = null;
  /** A field for the response that keeps the client at its side of a traffic split, with its CR LF; or ''. */
  affinityField = '';
  #tail: string;

  constructor(line: RequestLine, fields: RequestFields, tail: string) {
    this.line = line;
    this.fields = fields;
    this.#tail = tail;
  }

  /** The end of its head on its way to an instance, from the value of `traceparent` on. */
  get tail(): string {
    return this.#tail;
  }

  /** Sent on as X-Request-Id and back to the client. */
  get requestId(): string {
    return requestIdOf(this.#tail);
  }

  /** The end of its response's head, with the empty line. */
  get responseTail(): string {
    return idFieldOf(this.#tail);
  }

  get traceparent(): string {
    return traceparentOf(this.#tail);
  }

  set traceparent(value: string) {
    this.#tail = idTail(value, this.requestId);
  }
}

/**
 * Continues the client's request id and trace, or begins both with one random number. `flags` are those of a new trace:
 * whether its spans are kept.
 */
export function identify(
  line: RequestLine,
  fields: RequestFields,
  random: RandomHex,
  flags: '00' | '01' = '01',
): RequestHead {
  return new RequestHead(line, fields, tailOf(fields, random, flags));
}

function tailOf(fields: RequestFields, random: RandomHex, flags: '00' | '01'): string {
  const { traceparent, requestId } = fields;
  if (traceparent !== '') return idTail(traceparent, requestId || traceOf(traceparent));
  const tail = random.tail(flags);
  return requestId === '' ? tail : idTail(traceparentOf(tail), requestId);
}

/** What is added to the fields of requests from one place, but for their own ids. */
export class ForwardingFields {
  readonly #origin: RequestOrigin;
  #authority = '';
  #text = '';

  constructor(origin: RequestOrigin) {
    this.#origin = origin;
  }

  of(fields: RequestFields): string {
    if (fields.forwardedFor !== '' || fields.framing === 'chunked' || fields.upgrade !== '') return this.#write(fields);
    // Most requests differ in nothing that is said here.
    if (fields.authority !== this.#authority) {
      this.#text = flat(this.#write(fields));
      this.#authority = fields.authority;
    }
    return this.#text;
  }

  #write(fields: RequestFields): string {
    const { address, protocol, version } = this.#origin;
    const { authority } = fields;
    const node = address.includes(':') ? `"[${address}]"` : address;
    const forwardedFor = fields.forwardedFor === '' ? address : `${fields.forwardedFor}, ${address}`;
    const framing = fields.framing === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : '';
    const upgrade = fields.upgrade === '' ? '' : `Connection: Upgrade\r\nUpgrade: ${fields.upgrade}\r\n`;
    return (
      `${framing}${upgrade}Forwarded: for=${node};host="${authority}";proto=${protocol}\r\n` +
      `X-Forwarded-For: ${forwardedFor}\r\nX-Forwarded-Proto: ${protocol}\r\nX-Forwarded-Host: ${authority}\r\n` +
      `Via: ${version} skyrun\r\n`
    );
  }
}
