import { isToken } from './characters.ts';
import { FieldNames } from './field-names.ts';
import { FieldScanner } from './field-scanner.ts';
import type { HeadText } from './head-text.ts';
import { MAX_LENGTH_DIGITS, REQUEST_LIMITS } from './limits.ts';
import { type Framing, NEVER_NAMED, tokenList } from './message.ts';

/** What the gateway needs from a request's fields. Depends on the text alone, so an equal block is read once. */
export interface RequestFields {
  /** The Host value as it came. */
  readonly authority: string;
  /** Lower case, without port and final dot. */
  readonly host: string;
  readonly framing: Exclude<Framing, 'close'>;
  /** Bytes; 0 unless `framing` is `length`. */
  readonly contentLength: number;
  readonly close: boolean;
  /** The protocols a client asks to change to, or ''. */
  readonly upgrade: string;
  readonly webSocketKey: string;
  readonly expect: 'nothing' | 'continue' | 'unknown';
  readonly acceptsHtml: boolean;
  /** Where the cookie puts the client in a traffic split, in thousandths; -1 without one. */
  readonly affinity: number;
  readonly acceptEncoding: string;
  readonly ifNoneMatch: string;
  readonly authorization: string;
  readonly apiKey: string;
  /** The caller wants to be told what the request costs. */
  readonly asksCost: boolean;
  readonly origin: string;
  /** Access-Control-Request-Method, which makes an OPTIONS request a preflight. */
  readonly requestMethod: string;
  /** The fields that pass to the instance, each with its CR LF, in the client's order and spelling. */
  readonly kept: string;
  readonly forwardedFor: string;
  readonly requestId: string;
  readonly traceparent: string;
  /** First byte after the empty line, counted from the block's start. */
  readonly length: number;
}

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(?::\d{1,5})?$/i;
const REQUEST_ID = /^[\w.:/+=-]{1,128}$/;
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const AFFINITY = /(?:^|;\s*)skyrun-affinity=(\d{1,3})(?:;|$)/;
const DIGITS = /^\d+$/;
/** Upgrades that would put a second HTTP or TLS inside the tunnel, past every check here. */
const REFUSED_UPGRADES = /\b(h2c|http|tls)\b/i;

/** What the gateway reads, or keeps from instances. */
const NAMES = new FieldNames([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'upgrade',
  'expect',
  'accept',
  'cookie',
  'accept-encoding',
  'if-none-match',
  'authorization',
  'x-api-key',
  'skyrun-cost',
  'origin',
  'access-control-request-method',
  'sec-websocket-key',
  'x-forwarded-for',
  'x-request-id',
  'traceparent',
  'x-forwarded-proto',
  'x-forwarded-host',
]);
/** What `Connection` mostly says: nobody has fields of these names that would pass. */
const PLAIN_OPTIONS: ReadonlySet<string> = new Set(['keep-alive', 'upgrade', 'te']);

const scanner = new FieldScanner(REQUEST_LIMITS);
/** Where the fields that pass begin and end, of the block that is being read. */
const passing = new Int32Array(2 * REQUEST_LIMITS.fields);
let lastAuthority: string | null = null;
let lastHost = '';

/** The lower-case host of a Host value, or null when it is not one. */
export function hostOf(authority: string): string | null {
  const match = HOST.exec(authority);
  const host = match?.[1];
  if (host === undefined || /^\.+$/.test(host)) return null;
  const lower = host.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

/** Reads the fields of `head` from `start` to the empty line. Returns what is wrong as text. */
export function parseRequestFields(head: HeadText, start: number): RequestFields | string {
  let authority: string | null = null;
  let contentLength = -1;
  let canonicalLength = true;
  let chunked = false;
  let connection: string[] = [];
  let upgrade = '';
  let webSocketKey = '';
  let expect: RequestFields['expect'] = 'nothing';
  let acceptsHtml = false;
  let affinity = -1;
  let acceptEncoding = '';
  let ifNoneMatch = '';
  let authorization = '';
  let apiKey = '';
  let asksCost = false;
  let origin = '';
  let requestMethod = '';
  let forwardedFor = '';
  let requestId = '';
  let traceparent: string | null = null;
  let passed = 0;

  scanner.start(head, start);
  for (let lineStart = start; ; lineStart = scanner.position) {
    const step = scanner.next();
    if (step === 'end') break;
    if (step === 'fault') return scanner.fault;
    let passes = true;
    switch (scanner.nameAmong(NAMES)) {
      case '':
        break;
      case 'host':
        if (authority !== null) return 'there is more than one Host header';
        authority = scanner.value();
        break;
      case 'content-length': {
        const value = scanner.value();
        if (contentLength !== -1) return 'there is more than one Content-Length header';
        if (scanner.tabbed()) return 'there is a tab beside Content-Length';
        if (!DIGITS.test(value) || value.length > MAX_LENGTH_DIGITS) return 'Content-Length is not a number of bytes';
        contentLength = Number(value);
        canonicalLength = value === String(contentLength);
        passes = canonicalLength;
        break;
      }
      case 'transfer-encoding':
        if (chunked) return 'there is more than one Transfer-Encoding header';
        if (scanner.value().toLowerCase() !== 'chunked' || scanner.tabbed()) {
          return 'Transfer-Encoding must be exactly "chunked"';
        }
        chunked = true;
        passes = false;
        break;
      case 'connection': {
        passes = false;
        const value = scanner.value();
        if (value === 'keep-alive') break;
        const tokens = tokenList(value, isToken);
        if (tokens === null) return 'the Connection header is not a list of names';
        connection = connection.concat(tokens);
        break;
      }
      case 'proxy-connection':
        if (tokenList(scanner.value(), isToken) === null) return 'the Connection header is not a list of names';
        passes = false;
        break;
      case 'keep-alive':
      case 'proxy-authenticate':
      case 'proxy-authorization':
      case 'te':
        passes = false;
        break;
      case 'upgrade':
        passes = false;
        upgrade = upgrade === '' ? scanner.value() : `${upgrade}, ${scanner.value()}`;
        break;
      case 'expect':
        expect = expect === 'nothing' && scanner.value().toLowerCase() === '100-continue' ? 'continue' : 'unknown';
        break;
      case 'accept':
        acceptsHtml ||= scanner.value().includes('text/html');
        break;
      case 'cookie': {
        const cookie = scanner.value();
        const side = cookie.includes('skyrun-affinity=') ? AFFINITY.exec(cookie)?.[1] : undefined;
        if (side !== undefined) affinity = Number(side);
        break;
      }
      case 'accept-encoding':
        acceptEncoding = scanner.value();
        break;
      case 'if-none-match':
        ifNoneMatch = scanner.value();
        break;
      case 'authorization':
        if (authorization !== '') return 'there is more than one Authorization header';
        authorization = scanner.value();
        break;
      case 'x-api-key':
        apiKey = scanner.value();
        break;
      case 'skyrun-cost':
        asksCost = scanner.value() === '1';
        break;
      case 'origin':
        origin = scanner.value();
        break;
      case 'access-control-request-method':
        requestMethod = scanner.value();
        break;
      case 'sec-websocket-key':
        // Two keys are none.
        webSocketKey = webSocketKey === '' ? scanner.value() : `${webSocketKey}, ${scanner.value()}`;
        break;
      case 'x-forwarded-for':
        forwardedFor = forwardedFor === '' ? scanner.value() : `${forwardedFor}, ${scanner.value()}`;
        passes = false;
        break;
      case 'x-request-id':
        requestId = scanner.value();
        passes = false;
        break;
      case 'traceparent':
        traceparent = traceparent === null ? scanner.value() : '';
        passes = false;
        break;
      case 'x-forwarded-proto':
      case 'x-forwarded-host':
        passes = false;
        break;
      default:
    }
    if (passes) {
      passing[2 * passed] = lineStart;
      passing[2 * passed + 1] = scanner.position;
      passed += 1;
    }
  }

  if (authority === null) return 'the Host header is missing';
  const host = authority === lastAuthority ? lastHost : hostOf(authority);
  if (host === null) return 'the Host header is not a host name';
  // Only a new one, as a piece of a text keeps all of it.
  if (authority !== lastAuthority) {
    lastAuthority = authority;
    lastHost = host;
  }
  if (chunked && contentLength !== -1) return 'there are both Content-Length and Transfer-Encoding';
  const forbidden = connection.find((token) => NEVER_NAMED.has(token));
  if (forbidden !== undefined) return `the Connection header may not name ${forbidden}`;
  const wantsUpgrade = connection.includes('upgrade') && !REFUSED_UPGRADES.test(upgrade);
  const kept = join(head.text, passed, connection);

  return {
    authority,
    host,
    framing: chunked ? 'chunked' : contentLength > 0 ? 'length' : 'none',
    contentLength: Math.max(0, contentLength),
    close: connection.includes('close'),
    upgrade: wantsUpgrade ? upgrade : '',
    webSocketKey,
    expect,
    acceptsHtml,
    affinity,
    acceptEncoding,
    ifNoneMatch,
    authorization,
    apiKey,
    asksCost,
    origin,
    requestMethod,
    kept: canonicalLength ? kept : `${kept}Content-Length: ${contentLength}\r\n`,
    forwardedFor,
    requestId: requestId !== '' && REQUEST_ID.test(requestId) ? requestId : '',
    traceparent: traceparent !== null && TRACEPARENT.test(traceparent) ? traceparent : '',
    length: scanner.position - start,
  };
}

/** The fields that pass, but for those that `connection` names. Runs of neighbours are copied as one slice. */
function join(text: string, passed: number, connection: readonly string[]): string {
  const named = connection.some((token) => !PLAIN_OPTIONS.has(token)) ? connection : null;
  let kept = '';
  let runStart = -1;
  let runEnd = -1;
  for (let index = 0; index < passed; index += 1) {
    const start = passing[2 * index] ?? 0;
    if (named?.includes(text.slice(start, text.indexOf(':', start)).toLowerCase())) continue;
    if (start !== runEnd) {
      if (runStart !== -1) kept += text.slice(runStart, runEnd);
      runStart = start;
    }
    runEnd = passing[2 * index + 1] ?? 0;
  }
  return runStart === -1 ? kept : kept + text.slice(runStart, runEnd);
}
