import type { OutgoingHttpHeaders } from 'node:http2';
import { ChunkScanner } from '../http1/chunked.ts';

/** Requests whose fields cannot be written as HTTP/1.1 lines without changing what they mean. */
const LINE_BREAKING = /[\r\n\0]/;

export interface RequestText {
  /** Request line, fields and the empty line of the same request in HTTP/1.1. */
  readonly text: string;
  /** The body is passed on in chunks, because its length is not known. */
  readonly chunked: boolean;
}

/**
 * The head of an HTTP/2 request as HTTP/1.1 text, so that it goes through the same strict reader as every other. Raw
 * headers are name, value, name, value, … Returns what is wrong as text.
 *
 * `:authority` becomes Host (RFC 9113 §8.3.1); several cookie fields become one (§8.2.3); a body without a length is
 * chunked.
 */
export function requestText(rawHeaders: readonly string[], endStream: boolean): RequestText | string {
  let method = '';
  let path = '';
  let authority = '';
  let host = '';
  let cookie = '';
  let fields = '';
  let hasLength = false;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const value = rawHeaders[index + 1] ?? '';
    if (LINE_BREAKING.test(name) || LINE_BREAKING.test(value)) return 'a header holds a control character';
    switch (name) {
      case ':method':
        method = value;
        break;
      case ':path':
        path = value;
        break;
      case ':authority':
        authority = value;
        break;
      case ':scheme':
        break;
      case ':protocol':
        return 'extended CONNECT is not supported; WebSockets connect over HTTP/1.1';
      case 'host':
        if (host !== '' && host !== value) return 'there is more than one host header';
        host = value;
        break;
      case 'cookie':
        cookie = cookie === '' ? value : `${cookie}; ${value}`;
        break;
      case 'te':
        break;
      case 'content-length':
        hasLength = true;
        fields += `content-length: ${value}\r\n`;
        break;
      default:
        fields += `${name}: ${value}\r\n`;
    }
  }
  if (authority !== '' && host !== '' && authority.toLowerCase() !== host.toLowerCase()) {
    return ':authority and the host header differ';
  }
  if (!path.startsWith('/') && path !== '*') return ':path must begin with a slash';
  const chunked = !endStream && !hasLength;
  if (cookie !== '') fields += `cookie: ${cookie}\r\n`;
  if (chunked) fields += 'transfer-encoding: chunked\r\n';
  return { text: `${method} ${path} HTTP/1.1\r\nhost: ${authority || host}\r\n${fields}\r\n`, chunked };
}

/** Fields of HTTP/1.1 that may not stand in HTTP/2 (RFC 9113 §8.2.2), and `te`, which says something of one hop only. */
const NOT_IN_HTTP2: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

function eachField(lines: string, take: (name: string, value: string) => void): void {
  let start = 0;
  while (start < lines.length) {
    const end = lines.indexOf('\r\n', start);
    const colon = lines.indexOf(':', start);
    if (end === -1 || colon === -1 || colon > end) return;
    const name = lines.slice(start, colon).toLowerCase();
    if (!NOT_IN_HTTP2.has(name)) take(name, lines.slice(colon + 1, end).trim());
    start = end + 2;
  }
}

/** HTTP/1.1 field lines, each with its CR LF, as name, value, name, value, … of HTTP/2. */
export function headerPairs(lines: string, into: string[]): void {
  eachField(lines, (name, value) => into.push(name, value));
}

/** The same as an object, where Node takes nothing else. */
export function headerObject(lines: string, first: OutgoingHttpHeaders = {}): OutgoingHttpHeaders {
  // Without a prototype: a field may be called `constructor`.
  const into: OutgoingHttpHeaders = Object.assign(Object.create(null), first);
  eachField(lines, (name, value) => {
    const known = into[name];
    if (known === undefined) into[name] = value;
    else if (Array.isArray(known)) known.push(value);
    else into[name] = [String(known), value];
  });
  return into;
}

/** Raw headers, name, value, name, value, …, as HTTP/1.1 field lines, without the pseudo-headers. */
export function fieldLines(rawHeaders: readonly string[]): string {
  let lines = '';
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (!name.startsWith(':')) lines += `${name}: ${rawHeaders[index + 1] ?? ''}\r\n`;
  }
  return lines;
}

/** The fields after a body, each with its CR LF, or what is wrong with them: those that frame or route may not be there. */
export function trailerText(rawTrailers: readonly string[]): { readonly lines: string } | string {
  if (rawTrailers.length === 0) return { lines: '' };
  const scanner = new ChunkScanner();
  const text = Buffer.from(`0\r\n${fieldLines(rawTrailers)}\r\n`, 'latin1');
  const stop = scanner.scan(text, 0, text.length);
  if (scanner.done && stop === text.length) return { lines: scanner.trailer };
  return scanner.fault || 'the trailer is not made of fields';
}
