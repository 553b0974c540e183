import type { Carrier } from '../upstream/carrier.ts';

/** Request body held while no instance is there to take it; beyond that the client is not read. */
const HELD_BODY_BYTES = 65_536;

/**
 * A request on its way to an instance: its head, with a small body that came along, as one write; what comes before there
 * is a connection is held.
 */
export class RequestOutlet {
  /** It went out, as far as it was here. */
  sent = false;
  /** Body went out beyond the first write, so the request cannot be sent again. */
  streamed = false;
  #begin: string;
  readonly #tail: string;
  #body: string;
  #held: Buffer[] | null = null;
  #heldBytes = 0;

  /** The head in two pieces, and a small body that is here already. */
  constructor(begin: string, tail: string, body: string) {
    this.#begin = begin;
    this.#tail = tail;
    this.#body = body;
  }

  /** Bytes that `send` would write. */
  get bytes(): number {
    return this.#begin.length + this.#tail.length + this.#body.length + this.#heldBytes;
  }

  /** False: the connection takes no more for now. */
  send(carrier: Carrier): boolean {
    this.sent = true;
    let room = carrier.writeText(this.#begin, this.#tail, this.#body);
    if (this.#held !== null && this.#heldBytes > 0) {
      this.streamed = true;
      for (const chunk of this.#held) room = carrier.write(chunk);
      this.#held = null;
      this.#heldBytes = 0;
    }
    return room;
  }

  stream(carrier: Carrier, chunk: Buffer): boolean {
    this.streamed = true;
    return carrier.write(chunk);
  }

  /** False: enough is held. */
  hold(chunk: Buffer): boolean {
    this.#held ??= [];
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    return this.#heldBytes < HELD_BODY_BYTES;
  }

  /** The request goes to another connection. */
  again(): void {
    this.sent = false;
  }

  /** It was answered: nobody needs its text any more. */
  forget(): void {
    this.#begin = '';
    this.#body = '';
  }
}
