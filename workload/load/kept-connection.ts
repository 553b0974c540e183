import { connect, type Socket } from 'node:net';

/** How a request on a kept connection ended: with a status, or with what went wrong. */
export type KeptOutcome = number | string;

/**
 * One connection that is kept, and the request that is on it. As little as can measure another's time: the request is bytes,
 * of the answer only the status and the length are read, and an answer without a length is an error (`LENGTH`).
 */
export class KeptConnection {
  readonly #socket: Socket;
  readonly #onEnd: (connection: KeptConnection, outcome: KeptOutcome, bytes: number) => void;
  #busy = false;
  #head = '';
  #status = 0;
  #length = 0;
  #left = -1;

  constructor(
    address: { readonly host: string; readonly port: number },
    on: {
      readonly open: (connection: KeptConnection) => void;
      /** The answer is whole, or will not come; then the connection is closed. */
      readonly end: (connection: KeptConnection, outcome: KeptOutcome, bytes: number) => void;
      /** It is of no more use. */
      readonly close: (connection: KeptConnection) => void;
    },
  ) {
    this.#onEnd = on.end;
    this.#socket = connect({ ...address, noDelay: true }, () => on.open(this));
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#finish(error.code ?? error.message));
    this.#socket.on('close', () => {
      this.#finish('ECONNRESET');
      on.close(this);
    });
  }

  send(request: string): void {
    this.#busy = true;
    this.#head = '';
    this.#left = -1;
    this.#socket.write(request, 'latin1');
  }

  /** What is under way ends with `reason`. */
  destroy(reason: string): void {
    this.#finish(reason);
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (!this.#busy) {
      this.#socket.destroy();
      return;
    }
    if (this.#left === -1) {
      this.#head += chunk.toString('latin1');
      const end = this.#head.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = /\r\ncontent-length: *(\d+)/i.exec(this.#head.slice(0, end))?.[1];
      if (length === undefined) {
        this.destroy('LENGTH');
        return;
      }
      this.#status = Number(this.#head.slice(9, 12));
      this.#length = Number(length);
      this.#left = this.#length - (this.#head.length - end - 4);
    } else this.#left -= chunk.length;
    if (this.#left < 0) this.destroy('EXCESS');
    else if (this.#left === 0) this.#finish(this.#status);
  }

  #finish(outcome: KeptOutcome): void {
    if (!this.#busy) return;
    this.#busy = false;
    this.#onEnd(this, outcome, typeof outcome === 'number' ? this.#length : 0);
  }
}
