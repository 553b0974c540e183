import type { Socket } from 'node:net';
import { type SocketOwner, stopReadingDirectly } from './direct-input.ts';
import { type Delayed, SMALL_PIECE_BYTES, type SmallPieces } from './small-pieces.ts';

/** What a client may send ahead while its request is answered. */
const MOST_BYTES = 65_536;

/**
 * What a client sends, on its way to who reads it: at once, or in a later turn where too many small pieces of bodies came in
 * this one. What came ahead of its turn is kept here, in order; the client is not read while there is too much of it.
 */
export class ClientInput implements Delayed {
  readonly #socket: Socket;
  readonly #smallPieces: SmallPieces;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** What is kept are small pieces of a body, until their turn has come. */
  #delayed = false;
  /** Their turn has come. */
  #due = false;
  readonly #owner: Pick<SocketOwner, 'onData'>;

  constructor(socket: Socket, smallPieces: SmallPieces, owner: Pick<SocketOwner, 'onData'>) {
    this.#socket = socket;
    this.#smallPieces = smallPieces;
    this.#owner = owner;
  }

  /**
   * Keeps a small piece of a body if too many others were passed on in this turn, and what follows it, so that both go on in one
   * write; the owner gets them later.
   */
  delays(chunk: Buffer): boolean {
    if (this.#due) return false;
    if (!this.#delayed) {
      if (chunk.length > SMALL_PIECE_BYTES || this.#smallPieces.mayPass(this)) return false;
      this.#delayed = true;
    }
    this.add(chunk);
    if (this.#bytes > SMALL_PIECE_BYTES) this.passOn();
    return true;
  }

  passOn(): void {
    if (!this.#delayed) return;
    const pieces = this.takeAll();
    const [only] = pieces;
    this.#due = true;
    this.#owner.onData(only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces));
    this.#due = false;
  }

  /** Whoever reads the socket from now on begins with this chunk. */
  giveUp(chunk: Buffer): void {
    this.#socket.pause();
    stopReadingDirectly(this.#socket);
    this.#socket.unshift(chunk);
  }

  /** Nothing has come ahead of its turn. */
  get empty(): boolean {
    return this.#bytes === 0;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > MOST_BYTES) this.#socket.pause();
  }

  /** The rest of a chunk that was taken. */
  putBack(rest: Buffer): void {
    this.#chunks.unshift(rest);
    this.#bytes += rest.length;
  }

  next(): Buffer | null {
    if (this.#bytes === 0) return null;
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return null;
    this.#bytes -= chunk.length;
    if (this.#bytes === 0) this.#socket.resume();
    return chunk;
  }

  takeAll(): Buffer[] {
    const chunks = this.#chunks;
    this.clear();
    return chunks;
  }

  clear(): void {
    this.#chunks = [];
    this.#bytes = 0;
    this.#delayed = false;
  }
}
