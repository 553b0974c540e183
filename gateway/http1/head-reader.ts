import { CR, LF } from './characters.ts';
import type { HeadMemory, KnownHead } from './head-memory.ts';
import { type HeadText, headText } from './head-text.ts';
import type { HeadLimits } from './limits.ts';

/** How much of a chunk is decoded at once: nearly every head, and little of a body that comes with it. */
const DECODE_BYTES = 2048;
/** Heads up to here are remembered, to be recognised when they come again. */
const REMEMBER_BYTES = 1024;
/** So many bytes are compared one by one before a call into Node, which costs as much as 100 of them: other heads mostly differ here. */
const CALL_BYTES = 64;

const NOTHING = new Uint8Array(0);

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
 *
 * A head that was read before, here or on another connection with the same memory, is recognised by its bytes: then its `meaning` is
 * at hand and `text` was left as it was. Otherwise it is null, and who finds the head to be good tells by `learn`.
 */
export class HeadReader<M> implements HeadText {
  text = '';
  bytes: Uint8Array = NOTHING;
  base = 0;
  /** Where the head begins in `text`. */
  start = 0;
  /** Where the head's empty line ends in `text`; what follows is body (or the next message) as latin-1. */
  end = 0;
  /** Position in the last chunk of the first byte after the head. */
  bodyStart = 0;
  /** What the head means, where it is known. */
  meaning: M | null = null;
  fault = '';
  /** The last of this connection. */
  #own: KnownHead<M> | null = null;
  #memory: HeadMemory<M>;
  #pending = '';
  #firstLineRead = false;
  #limits: HeadLimits;
  #skipEmptyLine: boolean;
  #firstLineFault: (head: HeadText, start: number) => string | null;

  constructor(options: {
    limits: HeadLimits;
    memory: HeadMemory<M>;
    /** RFC 9112 §2.2: one empty line before a request is tolerated. */
    skipEmptyLine: boolean;
    firstLineFault: (head: HeadText, start: number) => string | null;
  }) {
    this.#limits = options.limits;
    this.#memory = options.memory;
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
    if (this.#pending === '' && this.#recognises(chunk, offset, end)) return 'complete';
    this.meaning = null;
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
      if (before === 0) {
        this.bytes = chunk;
        this.base = offset;
      } else {
        this.bytes = Buffer.from(text, 'latin1');
        this.base = 0;
      }
      this.start = start;
      this.end = emptyLine + 4;
      this.bodyStart = offset + this.end - before;
      this.reset();
      return 'complete';
    }
    return this.#more(text, start, before);
  }

  /** The head that ends at `bodyStart` is good and means this. `chunk` and `offset` as they were pushed last. */
  learn(chunk: Buffer, offset: number, meaning: M): void {
    this.bytes = NOTHING;
    const length = this.bodyStart - offset;
    // Otherwise its beginning came in another chunk.
    if (length !== this.end || length > REMEMBER_BYTES || !this.#memory.wants()) return;
    const bytes = Buffer.allocUnsafeSlow(length);
    chunk.copy(bytes, 0, offset, this.bodyStart);
    this.#own = { bytes, meaning };
    this.#memory.last = this.#own;
  }

  #recognises(chunk: Buffer, offset: number, end: number): boolean {
    const own = this.#own;
    if (own !== null && beginsWith(chunk, offset, end, own.bytes)) return this.#know(own, offset);
    const { last } = this.#memory;
    if (last === null || last === own || !beginsWith(chunk, offset, end, last.bytes)) return false;
    this.#own = last;
    return this.#know(last, offset);
  }

  #know({ bytes, meaning }: KnownHead<M>, offset: number): boolean {
    this.#memory.recognised();
    this.meaning = meaning;
    this.bodyStart = offset + bytes.length;
    return true;
  }

  #more(text: string, start: number, before: number): 'more' | 'fault' {
    if (text.length - start >= this.#limits.headBytes) return this.#tooLong();
    for (let lf = text.indexOf('\n', before); lf !== -1; lf = text.indexOf('\n', lf + 1)) {
      if (text.charCodeAt(lf - 1) !== CR) return this.#fail('a line break is not CR LF');
    }
    if (!this.#firstLineRead && text.indexOf('\r\n', start) !== -1) {
      this.#firstLineRead = true;
      const fault = this.#firstLineFault(headText(text), start);
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

function beginsWith(chunk: Buffer, offset: number, end: number, bytes: Buffer): boolean {
  const { length } = bytes;
  if (end - offset < length) return false;
  const first = Math.min(length, CALL_BYTES);
  for (let index = 0; index < first; index += 1) if (bytes[index] !== chunk[offset + index]) return false;
  return length === first || bytes.compare(chunk, offset + first, offset + length, first) === 0;
}
