import type { Socket } from 'node:net';

/** As much goes out as one joined write; larger ones are worth no copy. */
export const JOINED_BYTES = 4096;
/** Of so many lengths the view is kept. */
const MOST_VIEWS = 256;

/**
 * Puts the pieces of a message together and writes them to a socket at once. V8 would make one text of several in fresh memory for
 * each message, and Node bytes of that; here they become bytes in a place that the processor has at hand, and the next message
 * goes there, too, on whatever connection. Where a socket has not handed all of one to the kernel, the bytes are that
 * socket's from then on, and the next go elsewhere.
 *
 *   begin ──► text, bytes … ──► send
 *
 * Not for a socket of TLS, which would keep every message until it is encrypted.
 */
export class JoinedWrite {
  #bytes = Buffer.allocUnsafeSlow(JOINED_BYTES);
  #views = new Map<number, Buffer>();
  #length = 0;

  /** A message begins. All of it must fit. */
  begin(): void {
    this.#length = 0;
  }

  /** `text`: latin-1. */
  text(text: string): void {
    if (text === '') return;
    this.#bytes.write(text, this.#length, text.length, 'latin1');
    this.#length += text.length;
  }

  bytes(source: Buffer, start: number, end: number): void {
    source.copy(this.#bytes, this.#length, start, end);
    this.#length += end - start;
  }

  /** As `write` of the socket: false where it takes no more for now. Throws a RangeError where the message does not fit. */
  send(socket: Socket): boolean {
    const room = socket.write(this.#view(this.#length));
    if (socket.writableLength > 0) {
      this.#bytes = Buffer.allocUnsafeSlow(JOINED_BYTES);
      this.#views.clear();
    }
    return room;
  }

  #view(length: number): Buffer {
    const known = this.#views.get(length);
    if (known !== undefined) return known;
    if (length > JOINED_BYTES) throw new RangeError(`${length} bytes do not fit into one write`);
    const view = this.#bytes.subarray(0, length);
    if (this.#views.size < MOST_VIEWS) this.#views.set(length, view);
    return view;
  }
}

/** Of all connections of the process: a message is begun and sent in one go. */
export const joinedWrite = new JoinedWrite();
