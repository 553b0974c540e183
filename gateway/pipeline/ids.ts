import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4096;
const REQUESTS = 256;
/** Pools that one draw suffices for: at 2,000 requests/s a draw takes 70 to 300 µs of whatever length, for its code is cold then. */
const POOLS_OF_A_DRAW = 8;
/** Where the ids lie in `00-<32 digits>-<16 digits>-01` (W3C Trace Context §3.2). */
const TRACE_AT = 3;
const SPAN_AT = 36;
const FLAGS_AT = 53;
const TRACEPARENT = 55;
const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;
const ID_FIELD = '\r\nX-Request-Id: ';
const ID_AT = TRACEPARENT + ID_FIELD.length;
const TAIL = ID_AT + TRACE_DIGITS + 4;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');

/**
 * Random hexadecimal text, cut from a pool because each draw from the system costs a call. The pool is used once. What new requests
 * are known by has a pool of its own, in which it lies as it is sent.
 */
export class RandomHex {
  #bytes = Buffer.alloc(POOL_BYTES);
  #text = '';
  #used = 0;
  readonly #blank = Buffer.from(
    idTail(`00-${'0'.repeat(TRACE_DIGITS)}-${'0'.repeat(SPAN_DIGITS)}-01`, '0'.repeat(TRACE_DIGITS)).repeat(REQUESTS),
    'latin1',
  );
  readonly #drawn = Buffer.alloc((POOLS_OF_A_DRAW * REQUESTS * (TRACE_DIGITS + SPAN_DIGITS)) / 2);
  #nextByte = 0;
  #tails = '';
  #nextTail = 0;

  /** `digits` hexadecimal digits. */
  take(digits: number): string {
    if (this.#used + digits > this.#text.length) {
      randomFillSync(this.#bytes);
      this.#text = this.#bytes.toString('hex');
      this.#used = 0;
    }
    const cut = this.#text.slice(this.#used, this.#used + digits);
    this.#used += digits;
    return cut;
  }

  /** The end of the head of a request that begins a trace, whose id is the request's too. */
  tail(flags: '00' | '01'): string {
    if (this.#nextTail === this.#tails.length) this.#fillTails();
    const at = this.#nextTail;
    this.#nextTail += TAIL;
    const tail = this.#tails.slice(at, this.#nextTail);
    return flags === '01' ? tail : `${tail.slice(0, FLAGS_AT)}${flags}${tail.slice(TRACEPARENT)}`;
  }

  /** Digit by digit: calls that each write a few would cost a request three times as much. */
  #fillTails(): void {
    const text = this.#blank;
    const bytes = this.#drawn;
    let next = this.#nextByte % bytes.length;
    if (next === 0) randomFillSync(bytes);
    for (let at = 0; at < text.length; at += TAIL) {
      for (let digit = 0; digit < TRACE_DIGITS; digit += 2) {
        const byte = bytes[next] ?? 0;
        const high = DIGITS[byte >> 4] ?? 0;
        const low = DIGITS[byte & 15] ?? 0;
        text[at + TRACE_AT + digit] = high;
        text[at + TRACE_AT + digit + 1] = low;
        text[at + ID_AT + digit] = high;
        text[at + ID_AT + digit + 1] = low;
        next += 1;
      }
      for (let digit = 0; digit < SPAN_DIGITS; digit += 2) {
        const byte = bytes[next] ?? 0;
        text[at + SPAN_AT + digit] = DIGITS[byte >> 4] ?? 0;
        text[at + SPAN_AT + digit + 1] = DIGITS[byte & 15] ?? 0;
        next += 1;
      }
    }
    this.#nextByte = next;
    this.#tails = text.toString('latin1');
    this.#nextTail = 0;
  }
}

/** How a request's head ends on its way to an instance, from the value of `traceparent` on: with its ids and the empty line. */
export function idTail(traceparent: string, requestId: string): string {
  return `${traceparent}${ID_FIELD}${requestId}\r\n\r\n`;
}

export function traceparentOf(tail: string): string {
  return tail.slice(0, TRACEPARENT);
}

export function requestIdOf(tail: string): string {
  return tail.slice(ID_AT, -4);
}

/** `X-Request-Id` and the empty line, as a response's head ends. */
export function idFieldOf(tail: string): string {
  return tail.slice(TRACEPARENT + 2);
}

/** The trace that a `traceparent` belongs to. */
export function traceOf(traceparent: string): string {
  return traceparent.slice(TRACE_AT, TRACE_AT + TRACE_DIGITS);
}
