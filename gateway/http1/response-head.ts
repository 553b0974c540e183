import { CR, FIELD_VALUE, isToken, LF, SPACE } from './characters.ts';
import { FieldScanner } from './field-scanner.ts';
import { flat } from './flat.ts';
import type { HeadText } from './head-text.ts';
import { MAX_LENGTH_DIGITS, RESPONSE_LIMITS } from './limits.ts';
import { type Framing, HOP_BY_HOP, tokenList } from './message.ts';

export interface StatusLine {
  readonly status: number;
  readonly minor: 0 | 1;
  readonly reason: string;
  /** As it goes to the client, with CR LF. */
  readonly text: string;
  readonly end: number;
}

/** What the gateway needs from a response's fields. Depends on the text alone, so an equal block is read once. */
export interface ResponseFields {
  /** As the fields say; the status and the request's method may still mean that there is no body. */
  readonly framing: Framing;
  readonly contentLength: number;
  readonly close: boolean;
  readonly keepAlive: boolean;
  /** The instance keeps an idle connection this long, in ms; -1 when it does not say. */
  readonly keepAliveMs: number;
  readonly upgrade: string;
  readonly webSocketAccept: string;
  readonly hasRequestId: boolean;
  readonly hasDate: boolean;
  /** There are fields that tell a browser which pages may read it. */
  readonly hasCors: boolean;
  /** The fields that pass to the client, each with its CR LF. */
  readonly kept: string;
  /** The same without Content-Length, for answers that may not carry one. */
  readonly keptWithoutLength: string;
  readonly length: number;
}

/** A response's head as it was read. */
export interface ResponseHead {
  readonly line: StatusLine;
  readonly fields: ResponseFields;
  /** Its line and the fields that pass to the client, in one piece, because it mostly comes again. */
  readonly text: string;
}

export function responseHead(line: StatusLine, fields: ResponseFields): ResponseHead {
  return { line, fields, text: flat(line.text + fields.kept) };
}

const DIGITS = /^\d+$/;
const scanner = new FieldScanner(RESPONSE_LIMITS);

/** Reads `HTTP/1.x SP status [SP reason] CR LF`. Returns what is wrong as text. */
export function parseStatusLine({ text, bytes, base }: HeadText, start: number): StatusLine | string {
  const version = text.slice(start, start + 8);
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') return 'it does not begin with HTTP/1.1 or HTTP/1.0';
  if (bytes[base + start + 8] !== SPACE) return 'there is no space before the status';
  const digits = text.slice(start + 9, start + 12);
  if (!/^[1-5]\d\d$/.test(digits)) return 'the status is not a number from 100 to 599';
  let index = start + 12;
  let reasonStart = index;
  if (bytes[base + index] === SPACE) {
    index += 1;
    reasonStart = index;
    while (FIELD_VALUE[bytes[base + index] ?? 0] === 1) index += 1;
  }
  if (bytes[base + index] !== CR || bytes[base + index + 1] !== LF) return 'the status line does not end properly';
  const reason = text.slice(reasonStart, index);
  return {
    status: Number(digits),
    minor: version === 'HTTP/1.1' ? 1 : 0,
    reason,
    text: `HTTP/1.1 ${digits} ${reason}\r\n`,
    end: index + 2,
  };
}

/** Reads the fields of `head` from `start` to the empty line. Returns what is wrong as text. */
export function parseResponseFields(head: HeadText, start: number): ResponseFields | string {
  let contentLength = -1;
  let chunked = false;
  let connection: string[] = [];
  let keepAliveMs = -1;
  let upgrade = '';
  let webSocketAccept = '';
  let hasRequestId = false;
  let hasDate = false;
  let hasCors = false;
  const lines: { name: string; text: string }[] = [];

  scanner.start(head, start);
  for (let lineStart = start; ; lineStart = scanner.position) {
    const step = scanner.next();
    if (step === 'end') break;
    if (step === 'fault') return scanner.fault;
    const name = scanner.name();
    switch (name) {
      case 'content-length': {
        const value = scanner.value();
        if (contentLength !== -1) return 'there is more than one Content-Length header';
        if (!DIGITS.test(value) || value.length > MAX_LENGTH_DIGITS) return 'Content-Length is not a number of bytes';
        contentLength = Number(value);
        break;
      }
      case 'transfer-encoding':
        if (chunked) return 'there is more than one Transfer-Encoding header';
        if (scanner.value().toLowerCase() !== 'chunked') return 'Transfer-Encoding is not exactly "chunked"';
        chunked = true;
        break;
      case 'connection': {
        const tokens = tokenList(scanner.value(), isToken);
        if (tokens === null) return 'the Connection header is not a list of names';
        connection = connection.concat(tokens);
        break;
      }
      case 'keep-alive': {
        const seconds = /(?:^|[ ,])timeout=(\d{1,6})/i.exec(scanner.value())?.[1];
        if (seconds !== undefined) keepAliveMs = Number(seconds) * 1000;
        break;
      }
      case 'upgrade':
        upgrade = scanner.value();
        break;
      case 'sec-websocket-accept':
        webSocketAccept = scanner.value();
        break;
      case 'x-request-id':
        hasRequestId = true;
        break;
      case 'date':
        hasDate = true;
        break;
      case 'access-control-allow-origin':
      case 'access-control-allow-credentials':
      case 'access-control-expose-headers':
        hasCors = true;
        break;
      default:
    }
    if (!HOP_BY_HOP.has(name)) lines.push({ name, text: head.text.slice(lineStart, scanner.position) });
  }
  if (chunked && contentLength !== -1) return 'there are both Content-Length and Transfer-Encoding';

  let kept = '';
  let keptWithoutLength = '';
  for (const line of lines) {
    if (connection.includes(line.name) && line.name !== 'content-length') continue;
    kept += line.text;
    if (line.name !== 'content-length') keptWithoutLength += line.text;
  }
  return {
    framing: chunked ? 'chunked' : contentLength >= 0 ? 'length' : 'close',
    contentLength: Math.max(0, contentLength),
    close: connection.includes('close'),
    keepAlive: connection.includes('keep-alive'),
    keepAliveMs,
    upgrade,
    webSocketAccept,
    hasRequestId,
    hasDate,
    hasCors,
    kept,
    keptWithoutLength,
    length: scanner.position - start,
  };
}

const CORS_LINES = /^access-control-(?:allow-origin|allow-credentials|expose-headers):.*\r\n/gim;

/** The same for a client who is told by the gateway which pages may read it: browsers take no second opinion. */
export function withoutCors({ line, fields }: ResponseHead): ResponseHead {
  return responseHead(line, {
    ...fields,
    kept: fields.kept.replace(CORS_LINES, ''),
    keptWithoutLength: fields.keptWithoutLength.replace(CORS_LINES, ''),
  });
}
