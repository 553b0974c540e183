import type { Socket } from 'node:net';
import { peerAddress } from '../downstream/peer-address.ts';

/** How many connections may be open at a time; 0 is no limit. */
export interface ConnectionCaps {
  readonly total: number;
  readonly perAddress: number;
}

/** Turns connections away beyond a cap, so that no client can have them all. Without a cap nothing is counted. */
export class ConnectionGate {
  turnedAway = 0;
  readonly #caps: ConnectionCaps;
  #open = 0;
  readonly #byAddress = new Map<string, number>();
  /** A connection that goes on as an encrypted one comes a second time. */
  readonly #admitted = new WeakSet<Socket>();

  constructor(caps: ConnectionCaps) {
    this.#caps = caps;
  }

  /** False: it was one too many, and is closed. */
  admits(socket: Socket): boolean {
    const { total, perAddress } = this.#caps;
    if ((total === 0 && perAddress === 0) || this.#admitted.has(socket)) return true;
    const address = peerAddress(socket);
    const own = this.#byAddress.get(address) ?? 0;
    if ((total > 0 && this.#open >= total) || (perAddress > 0 && own >= perAddress)) {
      this.turnedAway += 1;
      socket.destroy();
      return false;
    }
    this.#admitted.add(socket);
    this.#open += 1;
    this.#byAddress.set(address, own + 1);
    socket.once('close', () => this.#leave(address));
    return true;
  }

  #leave(address: string): void {
    this.#open -= 1;
    const left = (this.#byAddress.get(address) ?? 0) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }
}
