import type { ChunkScanner } from '../http1/chunked.ts';
import { type Words, wordsOf } from '../http1/words.ts';
import type { JoinedWrite } from './joined-write.ts';
import type { ResponseHeads } from './response-heads.ts';

const READ_BYTES = 65_536;
/** Kept free before what is read, for a head that is longer than the instance's. */
export const SPARE_BYTES = 2048;

/**
 * What one read of a connection to an instance brought. It is overwritten as soon as the call that delivers it has returned, by what
 * the next connection reads, which may be another tenant's. So nobody gets at the bytes themselves: they are turned into text, looked
 * through, or asked for in a form that lasts. Positions are of the buffer that was read into.
 */
export interface ReadBytes {
  /** As latin-1. */
  text(start: number, end: number): string;
  /** Has `chunks` follow them; returns what it does. */
  scan(chunks: ChunkScanner, start: number, end: number, payload?: (start: number, end: number) => void): number;
  /** Goes out with what is put together there. */
  joinTo(message: JoinedWrite, start: number, end: number): void;
  /** A copy, the caller's own. */
  copy(start: number, end: number): Buffer;
  /** For writing: lasts until the connection is read on. Whoever needs it for longer must not let that happen. */
  keep(start: number, end: number): Buffer;
  /** The same with `text` before them. As many bytes before `start` must be needed by nobody: they may be written over. */
  keepBehind(text: string, start: number, end: number): Buffer;
}

/**
 * What connections read into. Most share one buffer, since hundreds of buffers that are used in turn are never where the processor
 * has them at hand. One that is a connection's own need not be copied from, since it is only read into when that is read on.
 */
export class ReadBuffer implements ReadBytes {
  readonly #bytes: Buffer;
  /** Null where it is read once only, so that they would not be worth making. */
  readonly #words: Words | null;
  readonly #target: Uint8Array;
  readonly #own: boolean;
  #kept = false;

  private constructor(bytes: Buffer, target: Uint8Array, own: boolean, words: Words | null) {
    this.#bytes = bytes;
    this.#words = words;
    this.#target = target;
    this.#own = own;
  }

  static ofMany(): ReadBuffer {
    return ReadBuffer.#create(false);
  }

  static ofOne(): ReadBuffer {
    return ReadBuffer.#create(true);
  }

  /** Bytes that are nobody else's and will never be written over. */
  static of(bytes: Buffer): ReadBuffer {
    return new ReadBuffer(bytes, bytes, true, null);
  }

  static #create(own: boolean): ReadBuffer {
    const bytes = Buffer.allocUnsafeSlow(SPARE_BYTES + READ_BYTES);
    return new ReadBuffer(bytes, bytes.subarray(SPARE_BYTES), own, wordsOf(bytes));
  }

  /** For the socket alone: what it reads stands here, behind the spare bytes. */
  get target(): Uint8Array {
    return this.#target;
  }

  /** Whether something was kept since this was asked last: then reads are large, and a buffer of its own saves a connection the copy. */
  takeKept(): boolean {
    const kept = this.#kept;
    this.#kept = false;
    return kept;
  }

  readHead(heads: ResponseHeads, start: number, end: number): ReturnType<ResponseHeads['read']> {
    return heads.read(this.#bytes, start, end, this.#words);
  }

  text(start: number, end: number): string {
    return this.#bytes.toString('latin1', start, end);
  }

  scan(chunks: ChunkScanner, start: number, end: number, payload?: (start: number, end: number) => void): number {
    return chunks.scan(this.#bytes, start, end, payload);
  }

  joinTo(message: JoinedWrite, start: number, end: number): void {
    message.bytes(this.#bytes, start, end);
  }

  copy(start: number, end: number): Buffer {
    return Buffer.from(this.#bytes.subarray(start, end));
  }

  keep(start: number, end: number): Buffer {
    this.#kept = true;
    return this.#own ? this.#bytes.subarray(start, end) : this.copy(start, end);
  }

  keepBehind(text: string, start: number, end: number): Buffer {
    if (text === '') return this.keep(start, end);
    this.#kept = true;
    const from = start - text.length;
    if (this.#own) {
      this.#bytes.write(text, from, text.length, 'latin1');
      return this.#bytes.subarray(from, end);
    }
    const piece = Buffer.allocUnsafe(end - from);
    piece.write(text, 0, text.length, 'latin1');
    this.#bytes.copy(piece, text.length, start, end);
    return piece;
  }
}

/** What all connections of the process read into whose reads are small. */
export const sharedReads = ReadBuffer.ofMany();
