import type { Socket } from 'node:net';

/** Notices a client that takes nothing of what is written for it. Asked several times a second. */
export class StallWatch {
  #socket: Socket;
  #flushed = 0;
  /** Monotonic ms; 0 while nothing waits to be taken. */
  #since = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Whether it has taken nothing for longer than `limitMs`. */
  stalled(now: number, limitMs: number): boolean {
    const { writableLength } = this.#socket;
    if (writableLength === 0) {
      this.#since = 0;
      return false;
    }
    // Asked last: it adds up what waits, piece by piece.
    const flushed = this.#socket.bytesWritten - writableLength;
    if (this.#since === 0 || flushed !== this.#flushed) {
      this.#since = now;
      this.#flushed = flushed;
      return false;
    }
    return now - this.#since > limitMs;
  }
}
