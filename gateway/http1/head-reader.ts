import { CR, LF } from './characters.ts';
import type { HeadLimits } from './limits.ts';

/** How much of a chunk is decoded at once: nearly every head, and little of a body that comes with it. */
const DECODE_BYTES = 2048;
/** Heads up to here are remembered, to be recognised when they come again. */
const REMEMBER_BYTES = 1024;
const NOTHING = Buffer.alloc(0);

/**
 * Gathers the bytes of one head, however they are split, until its empty line.
 *
 *   reading ──CR LF CR LF──► complete: `text` from `start` is the head, `bodyStart` is the next byte of the chunk
 *      │ bare LF, bad first line, longer than the limit
 *      ▼
 *    fault
 *
 * A head that is not complete is refused early only for what would refuse the complete one too, so the decision is
 * the same for every split.
 */
export class HeadReader {
  text = '';
  /** Where the head begins in `text`. */
  start = 0;
  /** Where the head's empty line ends in `text`; what follows is body (or the next message) as latin-1. */
  end = 0;
  /** Position in the last chunk of the first byte after the head. */
  bodyStart = 0;
  /** The head is byte for byte the one before, so what that meant is still true; `text` was left as it was. */
  repeated = false;
  fault = '';
  #remembered: Buffer = NOTHING;
  #pending = '';
  #firstLineRead = false;
  #limits: HeadLimits;
  #skipEmptyLine: boolean;
  #firstLineFault: (text: string, start: number) => string | null;

  constructor(options: {
    limits: HeadLimits;
    /** RFC 9112 §2.2: one empty line before a request is tolerated. */
    skipEmptyLine: boolean;
    firstLineFault: (text: string, start: number) => string | null;
  }) {
    this.#limits = options.limits;
    this.#skipEmptyLine = options.skipEmptyLine;
    this.#firstLineFault = options.firstLineFault;
  }

  /** Whether a head has begun and is not complete. */
  get pending(): boolean {
    return this.#pending !== '';
  }

  reset(): void {
    this.#pending = '';
    this.#firstLineRead = false;
  }

  push(chunk: Buffer, offset: number, end: number): 'more' | 'complete' | 'fault' {
    const known = this.#remembered.length;
    if (known > 0 && this.#pending === '' && end - offset >= known && this.#repeats(chunk, offset)) {
      this.repeated = true;
      this.bodyStart = offset + known;
      return 'complete';
    }
    this.repeated = false;
    const before = this.#pending.length;
    const { headBytes } = this.#limits;
    const text = this.#pending + chunk.toString('latin1', offset, Math.min(end, offset + DECODE_BYTES));
    const start = this.#skipEmptyLine && text.charCodeAt(0) === CR && text.charCodeAt(1) === LF ? 2 : 0;
    const emptyLine = text.indexOf('\r\n\r\n', start);
    if (emptyLine === -1 && end - offset > DECODE_BYTES) {
      // A head that long is rare; it goes on in pieces.
      const step = this.#more(text, start, before);
      return step === 'more' ? this.push(chunk, offset + DECODE_BYTES, end) : step;
    }
    if (emptyLine !== -1) {
      if (emptyLine + 4 - start > headBytes) return this.#tooLong();
      this.text = text;
      this.start = start;
      this.end = emptyLine + 4;
      this.bodyStart = offset + this.end - before;
      const whole = before === 0 && this.end <= REMEMBER_BYTES;
      this.#remembered = whole ? Buffer.from(chunk.subarray(offset, this.bodyStart)) : NOTHING;
      this.reset();
      return 'complete';
    }
    return this.#more(text, start, before);
  }

  #repeats(chunk: Buffer, offset: number): boolean {
    const known = this.#remembered.length;
    // The same for a chunk that is nothing but a head, as most requests are, at a third of the cost.
    if (chunk.length === known) return this.#remembered.equals(chunk);
    return this.#remembered.compare(chunk, offset, offset + known) === 0;
  }

  #more(text: string, start: number, before: number): 'more' | 'fault' {
    if (text.length - start >= this.#limits.headBytes) return this.#tooLong();
    for (let lf = text.indexOf('\n', before); lf !== -1; lf = text.indexOf('\n', lf + 1)) {
      if (text.charCodeAt(lf - 1) !== CR) return this.#fail('a line break is not CR LF');
    }
    if (!this.#firstLineRead && text.indexOf('\r\n', start) !== -1) {
      this.#firstLineRead = true;
      const fault = this.#firstLineFault(text, start);
      if (fault !== null) return this.#fail(fault);
    }
    this.#pending = text;
    return 'more';
  }

  #tooLong(): 'fault' {
    return this.#fail(`the head is longer than ${this.#limits.headBytes} bytes`);
  }

  #fail(fault: string): 'fault' {
    this.fault = fault;
    this.reset();
    return 'fault';
  }
}
