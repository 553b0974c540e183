import { nodeHttp } from '@skyrun/kit/base';
import { headText } from '../http1/head-text.ts';
import { parseStatusLine, type StatusLine } from '../http1/response-head.ts';
import { headerPairs } from '../http2/header-text.ts';

export interface RequestText {
  /** Name, value, name, value, … with the pseudo-headers first. */
  readonly headers: string[];
  /** Where the body begins in the text. */
  readonly bodyStart: number;
}

/**
 * A request head that the gateway itself has written as HTTP/1.1, as HTTP/2 headers. `te: trailers` tells the instance
 * that trailers arrive (gRPC asks for it); a wish to change the protocol is left out, because HTTP/2 has none.
 */
export function requestHeaders(text: string): RequestText {
  const methodEnd = text.indexOf(' ');
  const targetEnd = text.indexOf(' ', methodEnd + 1);
  const start = text.indexOf('\r\n', targetEnd) + 2;
  const end = text.indexOf('\r\n\r\n', start) + 2;
  const fields: string[] = [];
  headerPairs(text.slice(start, end), fields);
  const headers = [':method', text.slice(0, methodEnd), ':scheme', 'http'];
  headers.push(':path', text.slice(methodEnd + 1, targetEnd));
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const name = fields[index] ?? '';
    headers.push(name === 'host' ? ':authority' : name, fields[index + 1] ?? '');
  }
  headers.push('te', 'trailers');
  return { headers, bodyStart: end + 2 };
}

const STATUS_LINES = new Map<number, StatusLine>();

/** The status of an HTTP/2 response as a line of HTTP/1.1, or what is wrong with it. */
export function statusLine(status: number): StatusLine | string {
  const known = STATUS_LINES.get(status);
  if (known !== undefined) return known;
  const line = parseStatusLine(headText(`HTTP/1.1 ${status} ${nodeHttp.STATUS_CODES[status] ?? ''}\r\n`), 0);
  if (typeof line !== 'string') STATUS_LINES.set(status, line);
  return line;
}

/** The status among raw headers. */
export function statusOf(rawHeaders: readonly string[]): number {
  const index = rawHeaders.indexOf(':status');
  return index === -1 ? 0 : Number(rawHeaders[index + 1]);
}
