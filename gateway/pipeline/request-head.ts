import { flat } from '../http1/flat.ts';
import type { RequestFields } from '../http1/request-fields.ts';
import type { RequestLine } from '../http1/request-line.ts';
import type { RequestRecord } from '../observe/request-record.ts';
import type { Admission } from './admission.ts';
import { type RandomHex, traceOf } from './ids.ts';
import type { RequestOrigin } from './request-origin.ts';

export interface RequestHead {
  readonly line: RequestLine;
  readonly fields: RequestFields;
  /** Sent on as X-Request-Id and back to the client. */
  readonly requestId: string;
  traceparent: string;
  /** What is written down of it; null where nobody wants to know. */
  record: RequestRecord | null;
  /** A field for the response that keeps the client at its side of a traffic split, with its CR LF; or ''. */
  affinityField: string;
}

/** Methods that may be repeated without a second effect (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
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
  const traceparent = fields.traceparent === '' ? random.traceparent(flags) : fields.traceparent;
  return {
    line,
    fields,
    requestId: fields.requestId || traceOf(traceparent),
    traceparent,
    record: null,
    affinityField: '',
  };
}

/** What is added to a request's fields, but for its own ids; the same for equal fields of one connection. */
export function forwardingFields(fields: RequestFields, { address, protocol, version }: RequestOrigin): string {
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

/** `forwarded` as an instance may see it: where only members may call, without what would let it call as them. */
export function forwardedFields(forwarded: string, admission: Admission | null): string {
  if (admission === null || !admission.hidesToken) return forwarded;
  return forwarded
    .replace(/^(authorization:[ \t]*bearer +[^.\r]+\.[^.\r]+)\.[^\r]*/im, '$1.SIGNATURE_REMOVED')
    .replace(/^((?:authorization:[ \t]*bearer +|x-api-key:[ \t]*)sk_)[\w-]{43}(?=[ \t]*\r)/gim, '$1REMOVED');
}

/**
 * Writes the heads that go to instances. All but the request's own ids is mostly what it was in the request before: then it is
 * kept in one piece, which is copied faster than its parts.
 */
export class UpstreamHeads {
  #line = '';
  #forwarded = '';
  #begin = '';
  #flat = false;

  text(head: RequestHead, lineText: string, forwarded: string): string {
    const { line } = head;
    const requestLine = line.verbatim ? lineText : `${line.method} ${line.target} HTTP/1.1\r\n`;
    if (requestLine !== this.#line || forwarded !== this.#forwarded) {
      this.#line = requestLine;
      this.#forwarded = forwarded;
      this.#begin = `${requestLine}${forwarded}X-Request-Id: `;
      this.#flat = false;
    } else if (!this.#flat) {
      this.#begin = flat(this.#begin);
      this.#flat = true;
    }
    return `${this.#begin}${head.requestId}\r\ntraceparent: ${head.traceparent}\r\n\r\n`;
  }
}
