import type { Words } from './words.ts';

/** So many heads are remembered in vain, and then one of so many. */
const TRIES = 8;
const TRY_EVERY = 32;

/** A head that was read, byte for byte, and what it means. */
export interface KnownHead<M> {
  readonly bytes: Buffer;
  /** Of the same, where it is looked for by words. */
  readonly words: Words | null;
  readonly meaning: M;
}

/**
 * The last head of several connections that mostly get the same ones: those of one client, or those to one instance. They share
 * what it means, so that a thousand connections keep it once, and the processor keeps it at hand.
 */
export class HeadMemory<M> {
  last: KnownHead<M> | null = null;
  #unused = 0;

  /** A head came again. */
  recognised(): void {
    this.#unused = 0;
  }

  /** Whether to remember another head: clients whose heads never come again need not pay for each of them. */
  wants(): boolean {
    this.#unused += 1;
    return this.#unused <= TRIES || this.#unused % TRY_EVERY === 0;
  }
}
