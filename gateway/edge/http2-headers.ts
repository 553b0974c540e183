import type { OutgoingHttpHeaders } from 'node:http2';

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

/** HTTP/1.1 field lines, each with its CR LF, as HTTP/2 headers. */
export function responseHeaders(lines: string, into: OutgoingHttpHeaders = {}): OutgoingHttpHeaders {
  let start = 0;
  while (start < lines.length) {
    const end = lines.indexOf('\r\n', start);
    const colon = lines.indexOf(':', start);
    if (end === -1 || colon === -1 || colon > end) break;
    const name = lines.slice(start, colon).toLowerCase();
    const value = lines.slice(colon + 1, end).trim();
    const known = into[name];
    if (known === undefined) into[name] = value;
    else if (Array.isArray(known)) known.push(value);
    else into[name] = [String(known), value];
    start = end + 2;
  }
  return into;
}
