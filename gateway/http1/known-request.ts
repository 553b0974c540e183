import { flat } from './flat.ts';
import type { RequestFields } from './request-fields.ts';
import type { RequestLine } from './request-line.ts';

/** What ends all heads for instances but for its value and what follows it. */
const LAST_NAME = 'traceparent: ';

/** A request's head and what the gateway makes of it: one object for all requests with the same bytes. */
export class KnownRequest {
  readonly line: RequestLine;
  /** The request line as it came, with CR LF. */
  readonly lineText: string;
  readonly fields: RequestFields;
  /** The fields as they came, with the empty line. */
  readonly block: string;
  /** What is sent on instead of them, up to the request's own ids. */
  readonly forwarded: string;
  #begin = '';
  #flat = false;
  #hidden = '';

  constructor(parts: {
    line: RequestLine;
    lineText: string;
    fields: RequestFields;
    block: string;
    forwarded: string;
  }) {
    this.line = parts.line;
    this.lineText = parts.lineText;
    this.fields = parts.fields;
    this.block = parts.block;
    this.forwarded = parts.forwarded;
  }

  /**
   * The head as it goes to instances, up to the value of `traceparent`, which its own ids follow. From its second use on it
   * is in one piece, which is copied faster than its parts. With `hidesToken` without what would let the instance call as
   * the client.
   */
  upstreamBegin(hidesToken: boolean): string {
    if (hidesToken) {
      if (this.#hidden === '') this.#hidden = flat(this.#lineToSend() + withoutCredentials(this.forwarded) + LAST_NAME);
      return this.#hidden;
    }
    if (this.#begin === '') this.#begin = this.#lineToSend() + this.forwarded + LAST_NAME;
    else if (!this.#flat) {
      this.#begin = flat(this.#begin);
      this.#flat = true;
    }
    return this.#begin;
  }

  #lineToSend(): string {
    const { verbatim, method, target } = this.line;
    return verbatim ? this.lineText : `${method} ${target} HTTP/1.1\r\n`;
  }
}

function withoutCredentials(fields: string): string {
  return fields
    .replace(/^(authorization:[ \t]*bearer +[^.\r]+\.[^.\r]+)\.[^\r]*/im, '$1.SIGNATURE_REMOVED')
    .replace(/^((?:authorization:[ \t]*bearer +|x-api-key:[ \t]*)sk_)[\w-]{43}(?=[ \t]*\r)/gim, '$1REMOVED');
}
