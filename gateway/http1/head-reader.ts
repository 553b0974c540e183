import { CR } from './characters.ts';
import type { HeadMemory, KnownHead } from './head-memory.ts';
import { type HeadText, headText } from './head-text.ts';
import type { HeadLimits } from './limits.ts';
import { WORD_BYTES, type Words, wordsOf } from './words.ts';

/** How much of a chunk is decoded at once: nearly every head, and little of a body that comes with it. */
const DECODE_BYTES = 2048;
/** Heads up to here are remembered, to be recognised when they come again. */
const REMEMBER_BYTES = 1024;
/** A call into Node that compares a part of a chunk costs as much as 100 bytes one by one: up to here they are looked at without. */
const MOST_BYTES_WITHOUT_CALL = 160;
/** So many are looked at before the call: other heads mostly differ here. */
const BEFORE_CALL_BYTES = 64;
/** The same before a comparison of whole chunks, which costs half as much. */
const BEFORE_WHOLE_CALL_BYTES = 24;

/**
 * Gathers the bytes of one head, however they are split, until its empty line, and has it read.
 *
 *   reading ──CR LF CR LF──► complete: `meaning` is what was read, `bodyStart` is the next byte of the chunk
 *      │ bare LF, bad first line, longer than the limit, not to be read
 *      ▼
 *    fault
 *
 * A head that is not complete is refused early only for what would refuse the complete one too, so the decision is
 * the same for every split.
 *
 * A head that was read before, here or on another connection with the same memory, is recognised by its bytes and not read again.
 */
export class HeadReader<M> {
  /** What the last complete head means; null before the first. */
  meaning: M | null = null;
  /** The last of this connection that is remembered. */
  own: KnownHead<M> | null = null;
  /** Position in the last chunk of the first byte after the head. */
  bodyStart = 0;
  fault = '';
  #pending = '';
  #firstLineRead = false;
  readonly #memory: HeadMemory<M>;
  readonly #limits: HeadLimits;
  readonly #skipEmptyLine: boolean;
  readonly #firstLineFault: (head: HeadText, start: number) => string | null;
  readonly #read: (head: HeadText, start: number, end: number) => M | string;

  constructor(options: {
    limits: HeadLimits;
    memory: HeadMemory<M>;
    /** RFC 9112 §2.2: one empty line before a request is tolerated. */
    skipEmptyLine: boolean;
    firstLineFault: (head: HeadText, start: number) => string | null;
    /** What the head means that begins at `start` and whose empty line ends at `end`; or what is wrong with it. */
    read: (head: HeadText, start: number, end: number) => M | string;
  }) {
    this.#limits = options.limits;
    this.#memory = options.memory;
    this.#skipEmptyLine = options.skipEmptyLine;
    this.#firstLineFault = options.firstLineFault;
    this.#read = options.read;
  }

  /** Whether a head has begun and is not complete. */
  get pending(): boolean {
    return this.#pending !== '';
  }

  reset(): void {
    this.#pending = '';
    this.#firstLineRead = false;
  }

  /** `words`: of the chunk, where whoever reads into it again and again has it ready; heads are recognised faster then. */
  push(chunk: Buffer, offset: number, end: number, words: Words | null = null): 'more' | 'complete' | 'fault' {
    if (this.#pending === '' && this.#recognises(chunk, offset, end, words)) return 'complete';
    const before = this.#pending.length;
    const text = this.#pending + chunk.toString('latin1', offset, Math.min(end, offset + DECODE_BYTES));
    const start = this.#skipEmptyLine && text.startsWith('\r\n') ? 2 : 0;
    const emptyLine = text.indexOf('\r\n\r\n', start);
    if (emptyLine === -1) {
      const step = this.#more(text, start, before);
      // A head that long is rare; it goes on in pieces.
      return step === 'more' && end - offset > DECODE_BYTES
        ? this.push(chunk, offset + DECODE_BYTES, end, words)
        : step;
    }
    if (emptyLine + 4 - start > this.#limits.headBytes) return this.#tooLong();
    const head = before === 0 ? { text, bytes: chunk, base: offset } : headText(text);
    const meaning = this.#read(head, start, emptyLine + 4);
    if (typeof meaning === 'string') return this.#fail(meaning);
    this.meaning = meaning;
    this.bodyStart = offset + emptyLine + 4 - before;
    if (before === 0) this.#learn(chunk, offset, words !== null, meaning);
    else this.reset();
    return 'complete';
  }

  /** Remembers the head that ends at `bodyStart`. */
  #learn(chunk: Buffer, offset: number, inWords: boolean, meaning: M): void {
    const length = this.bodyStart - offset;
    if (length > REMEMBER_BYTES || !this.#memory.wants()) return;
    const bytes = Buffer.allocUnsafeSlow(length);
    chunk.copy(bytes, 0, offset, this.bodyStart);
    this.own = { bytes, words: inWords ? wordsOf(bytes) : null, meaning };
    this.#memory.last = this.own;
  }

  #recognises(chunk: Buffer, offset: number, end: number, words: Words | null): boolean {
    const { own } = this;
    if (own !== null && beginsWith(chunk, offset, end, words, own)) return this.#know(own, offset);
    const { last } = this.#memory;
    if (last === null || last === own || !beginsWith(chunk, offset, end, words, last)) return false;
    this.own = last;
    return this.#know(last, offset);
  }

  #know({ bytes, meaning }: KnownHead<M>, offset: number): boolean {
    this.#memory.recognised();
    if (this.meaning !== meaning) this.meaning = meaning;
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

function beginsWith(
  chunk: Buffer,
  offset: number,
  end: number,
  words: Words | null,
  { bytes, words: known }: Pick<KnownHead<unknown>, 'bytes' | 'words'>,
): boolean {
  const { length } = bytes;
  if (end - offset < length) return false;
  if (words !== null && known !== null && offset % WORD_BYTES === 0) {
    const from = offset / WORD_BYTES;
    for (let index = 0; index < known.length; index += 1) if (known[index] !== words[from + index]) return false;
    return sameBytes(chunk, offset, bytes, known.length * WORD_BYTES, length);
  }
  if (chunk.length === length) {
    return sameBytes(chunk, 0, bytes, 0, Math.min(length, BEFORE_WHOLE_CALL_BYTES)) && bytes.equals(chunk);
  }
  const first = length <= MOST_BYTES_WITHOUT_CALL ? length : BEFORE_CALL_BYTES;
  if (!sameBytes(chunk, offset, bytes, 0, first)) return false;
  return length === first || bytes.compare(chunk, offset + first, offset + length, first) === 0;
}

/** Whether `bytes` from `from` to `to` stand in the chunk, in which they begin at `offset`. */
function sameBytes(chunk: Buffer, offset: number, bytes: Buffer, from: number, to: number): boolean {
  for (let index = from; index < to; index += 1) if (bytes[index] !== chunk[offset + index]) return false;
  return true;
}
