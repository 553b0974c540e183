import { CR, LF, SPACE, TARGET, TOKEN } from './characters.ts';
import type { HeadText } from './head-text.ts';
import { REQUEST_LIMITS } from './limits.ts';

export interface RequestLine {
  method: string;
  /** In origin form, or `*`. */
  target: string;
  /** The authority of an absolute-form target; it must agree with Host. */
  authority: string | null;
  /** The port of an absolute-form target that names none, by its scheme; and of a Host that goes with it. */
  defaultPort: '80' | '443';
  minor: 0 | 1;
  /** First byte after the line's CR LF. */
  end: number;
  /** False where the target was rewritten, so that the line cannot be copied as it came. */
  verbatim: boolean;
}

const MAX_METHOD_BYTES = 32;

/** Reads `method SP target SP HTTP/1.x CR LF` from `start`. Returns what is wrong as text. */
export function parseRequestLine({ bytes, base, text }: HeadText, start: number): RequestLine | string {
  const methodStart = base + start;
  let index = methodStart;
  while (TOKEN[bytes[index] ?? 0] === 1) index += 1;
  if (index === methodStart || bytes[index] !== SPACE) return 'the request line has no proper method';
  if (index - methodStart > MAX_METHOD_BYTES) return 'the method is too long';
  const method = text.slice(start, index - base);
  const targetStart = index + 1;
  index = targetStart;
  while (TARGET[bytes[index] ?? 0] === 1) index += 1;
  if (index === targetStart) return 'the request line has no proper target';
  if (bytes[index] !== SPACE) return 'the request line does not end with an HTTP version';
  if (index - methodStart > REQUEST_LIMITS.lineBytes)
    return `the request line is longer than ${REQUEST_LIMITS.lineBytes} bytes`;
  const raw = text.slice(targetStart - base, index - base);
  const version = text.slice(index + 1 - base, index + 9 - base);
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') return 'the HTTP version must be 1.1 or 1.0';
  if (bytes[index + 9] !== CR || bytes[index + 10] !== LF) return 'the request line does not end with CR LF';
  const minor = version === 'HTTP/1.1' ? 1 : 0;
  const end = index + 11 - base;
  if (method === 'CONNECT') return 'CONNECT is not supported';
  if (raw.charCodeAt(0) === 0x2f) {
    return { method, target: raw, authority: null, defaultPort: '80', minor, end, verbatim: minor === 1 };
  }
  if (raw === '*') {
    if (method !== 'OPTIONS') return 'the target * is only for OPTIONS';
    return { method, target: raw, authority: null, defaultPort: '80', minor, end, verbatim: minor === 1 };
  }
  const absolute = /^http(s?):\/\/([^/?]+)(.*)$/i.exec(raw);
  const authority = absolute?.[2];
  if (!absolute || authority === undefined) return 'the target must be a path or an http URL';
  const defaultPort = absolute[1] === '' ? '80' : '443';
  const rest = absolute[3] ?? '';
  // Asked of the server as a whole (RFC 9112 §3.2.4).
  const target = rest === '' && method === 'OPTIONS' ? '*' : rest.startsWith('/') ? rest : `/${rest}`;
  return { method, target, authority, defaultPort, minor, end, verbatim: false };
}

/** Methods that may be repeated without a second effect (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}
