import type { Socket } from 'node:net';

/** What a client may send ahead while its request is answered. */
const MOST_BYTES = 65_536;

/** What came ahead of its turn, in order. The client is not read while there is too much of it. */
export class HeldInput {
  #socket: Socket;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

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
  }
}
