import { CR, FIELD_VALUE, LF, SPACE, TOKEN } from './characters.ts';
import { FieldScanner } from './field-scanner.ts';
import { headText } from './head-text.ts';
import { MAX_CHUNK_DIGITS, MAX_CHUNK_LINE_BYTES, MAX_TRAILER_BYTES, REQUEST_LIMITS } from './limits.ts';

/** Where a chunked body stands. `fault` and `done` are final. */
type Phase =
  | 'size' // at least one hex digit
  | 'extension-name'
  | 'extension-value-start'
  | 'extension-value'
  | 'extension-quoted'
  | 'extension-escaped'
  | 'extension-after-quoted'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer'
  | 'done'
  | 'fault';

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Fields that would change how the message is read or where it goes; they may not come after the body. */
const FORBIDDEN_TRAILERS: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'content-length',
  'host',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'authorization',
  'cookie',
  'set-cookie',
  'content-encoding',
  'content-type',
  'content-range',
]);

const trailers = new FieldScanner(REQUEST_LIMITS);

/**
 * Follows a chunked body (RFC 9112 §7.1) byte by byte without changing it, and says where it ends.
 *
 *   size ──CR──► size-lf ──LF──► data (size > 0) ──► data-cr ──► data-lf ──► size
 *    │ ';'         ▲               │ size = 0
 *    ▼             │ CR            ▼
 *   extension-* ───┘             trailer ──empty line──► done
 *
 * Anything else is a fault: no or too many hex digits, white space around a size, a bare CR or LF anywhere, an
 * extension that is not `;name[=value]`, a size line over 512 bytes, a trailer that frames or routes.
 */
export class ChunkScanner {
  phase: Phase = 'size';
  fault = '';
  /** Bytes of content so far, without what frames them. */
  content = 0;
  #size = 0;
  #digits = 0;
  #lineBytes = 0;
  #nameBytes = 0;
  #trailer = '';

  get done(): boolean {
    return this.phase === 'done';
  }

  /** The fields after the body, each with its CR LF; '' before the body is whole, or where there are none. */
  get trailer(): string {
    return this.done ? this.#trailer.slice(0, -2) : '';
  }

  reset(): void {
    this.phase = 'size';
    this.fault = '';
    this.content = 0;
    this.#size = 0;
    this.#digits = 0;
    this.#lineBytes = 0;
    this.#nameBytes = 0;
    this.#trailer = '';
  }

  /**
   * Reads on from `start`; stops at `end`, at the body's end, or at a fault (`phase` tells which).
   * Returns the position after the last byte that belongs to the body. `payload` is told each run of content.
   */
  scan(bytes: Uint8Array, start: number, end: number, payload?: (start: number, end: number) => void): number {
    let index = start;
    while (index < end) {
      if (this.phase === 'data') {
        const take = Math.min(this.#size, end - index);
        payload?.(index, index + take);
        index += take;
        this.#size -= take;
        this.content += take;
        if (this.#size === 0) this.phase = 'data-cr';
        continue;
      }
      this.#step(bytes[index] ?? 0);
      if (this.phase === 'fault') return index;
      index += 1;
      if (this.phase === 'done') return index;
    }
    return index;
  }

  #step(code: number): void {
    switch (this.phase) {
      case 'data-cr':
        this.#expect(code, CR, 'data-lf', 'a chunk is longer than its size');
        return;
      case 'data-lf':
        this.#expect(code, LF, 'size', 'a chunk does not end with CR LF');
        this.#digits = 0;
        this.#lineBytes = 0;
        return;
      case 'size-lf':
        this.#expect(code, LF, this.#size > 0 ? 'data' : 'trailer', 'a chunk size does not end with CR LF');
        return;
      case 'trailer':
        this.#onTrailer(code);
        return;
      default:
        this.#lineBytes += 1;
        if (this.#lineBytes > MAX_CHUNK_LINE_BYTES) this.#fail('a chunk size line is too long');
        else if (this.phase === 'size') this.#onSize(code);
        else this.#onExtension(code);
    }
  }

  #onSize(code: number): void {
    const digit = hexDigit(code);
    if (digit >= 0) {
      this.#size = (this.#digits === 0 ? 0 : this.#size * 16) + digit;
      this.#digits += 1;
      if (this.#digits > MAX_CHUNK_DIGITS) this.#fail('a chunk size is too large');
    } else if (this.#digits === 0) this.#fail('a chunk size is missing or not hexadecimal');
    else this.#afterSize(code);
  }

  #afterSize(code: number): void {
    if (code === CR) this.phase = 'size-lf';
    else if (code === SEMICOLON) {
      this.phase = 'extension-name';
      this.#nameBytes = 0;
    } else this.#fail('a chunk size is followed by something that is not an extension');
  }

  #onExtension(code: number): void {
    switch (this.phase) {
      case 'extension-name':
        if (TOKEN[code] === 1) this.#nameBytes += 1;
        else if (this.#nameBytes === 0) this.#fail('a chunk extension has no name');
        else if (code === EQUALS) this.phase = 'extension-value-start';
        else this.#afterSize(code);
        return;
      case 'extension-value-start':
        if (code === QUOTE) this.phase = 'extension-quoted';
        else if (TOKEN[code] === 1) this.phase = 'extension-value';
        else this.#fail('a chunk extension has no value');
        return;
      case 'extension-value':
        if (TOKEN[code] !== 1) this.#afterSize(code);
        return;
      case 'extension-quoted':
        if (code === QUOTE) this.phase = 'extension-after-quoted';
        else if (code === BACKSLASH) this.phase = 'extension-escaped';
        else if (FIELD_VALUE[code] !== 1) this.#fail('a chunk extension holds a control character');
        return;
      case 'extension-escaped':
        if (FIELD_VALUE[code] !== 1 || code < SPACE) this.#fail('a chunk extension holds a control character');
        else this.phase = 'extension-quoted';
        return;
      default:
        this.#afterSize(code);
    }
  }

  /** The trailer ends at an empty line: at once, or after CR LF. Each line is checked as soon as it is whole. */
  #onTrailer(code: number): void {
    this.#trailer += String.fromCharCode(code);
    if (this.#trailer.length > MAX_TRAILER_BYTES) {
      this.#fail('the trailer is too long');
      return;
    }
    if (code !== LF) return;
    trailers.start(headText(this.#trailer), 0);
    for (;;) {
      const step = trailers.next();
      if (step === 'end') {
        this.phase = 'done';
        return;
      }
      if (step === 'fault') {
        this.#fail(`the trailer: ${trailers.fault}`);
        return;
      }
      if (FORBIDDEN_TRAILERS.has(trailers.name())) {
        this.#fail('the trailer holds a header that may not stand there');
        return;
      }
      if (trailers.position === this.#trailer.length) return;
    }
  }

  #expect(code: number, wanted: number, next: Phase, fault: string): void {
    if (code === wanted) this.phase = next;
    else this.#fail(fault);
  }

  #fail(fault: string): void {
    this.phase = 'fault';
    this.fault = fault;
  }
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
