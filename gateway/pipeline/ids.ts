import { randomBytes, randomFillSync } from 'node:crypto';

const POOL_BYTES = 4096;
const TRACES = 256;
/** Where the ids lie in `00-<32 digits>-<16 digits>-01` (W3C Trace Context §3.2). */
const TRACE_AT = 3;
const SPAN_AT = 36;
const FLAGS_AT = 53;
const TRACEPARENT = 55;
const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;

/**
 * Random hexadecimal text, cut from a pool because each draw from the system costs a call. The pool is used once. The
 * beginnings of traces have a pool of their own, in which they lie as they are sent.
 */
export class RandomHex {
  #bytes = Buffer.alloc(POOL_BYTES);
  #text = '';
  #used = 0;
  readonly #blank = Buffer.from(
    `00-${'0'.repeat(TRACE_DIGITS)}-${'0'.repeat(SPAN_DIGITS)}-01`.repeat(TRACES),
    'latin1',
  );
  #traces = '';
  #nextTrace = 0;

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

  /** A `traceparent` that begins a trace. */
  traceparent(flags: '00' | '01'): string {
    if (this.#nextTrace === this.#traces.length) this.#fillTraces();
    const at = this.#nextTrace;
    this.#nextTrace += TRACEPARENT;
    return flags === '01'
      ? this.#traces.slice(at, at + TRACEPARENT)
      : `${this.#traces.slice(at, at + FLAGS_AT)}${flags}`;
  }

  #fillTraces(): void {
    const digits = randomBytes((TRACES * (TRACE_DIGITS + SPAN_DIGITS)) / 2).toString('hex');
    let from = 0;
    for (let at = 0; at < this.#blank.length; at += TRACEPARENT) {
      this.#blank.write(digits.slice(from, from + TRACE_DIGITS), at + TRACE_AT, TRACE_DIGITS, 'latin1');
      from += TRACE_DIGITS;
      this.#blank.write(digits.slice(from, from + SPAN_DIGITS), at + SPAN_AT, SPAN_DIGITS, 'latin1');
      from += SPAN_DIGITS;
    }
    this.#traces = this.#blank.toString('latin1');
    this.#nextTrace = 0;
  }
}

/** The trace that a `traceparent` belongs to. */
export function traceOf(traceparent: string): string {
  return traceparent.slice(TRACE_AT, TRACE_AT + TRACE_DIGITS);
}
