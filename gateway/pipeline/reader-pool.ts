import { HeadMemory } from '../http1/head-memory.ts';
import type { KnownRequest } from '../http1/known-request.ts';
import { RequestReader } from '../http1/request-reader.ts';
import { ForwardingFields } from './request-head.ts';
import type { RequestOrigin } from './request-origin.ts';

/** The reader of one connection's requests. */
export interface ClientReader {
  readonly origin: RequestOrigin;
  readonly requests: RequestReader;
}

/** Where connections come from; they share what heads mean. */
interface Place {
  readonly origin: RequestOrigin;
  readonly forwarding: ForwardingFields;
  readonly memory: HeadMemory<KnownRequest>;
  readonly free: ClientReader[];
  /** Readers that a connection has. */
  taken: number;
}

const MOST_FREE = 256;

/**
 * Readers that closed connections leave behind, by where these came from. A client that opens a connection for each request
 * repeats its head from one to the next; a reader that has seen it knows what it means. So does one whose neighbour has.
 */
export class ReaderPool {
  #places = new Map<string, Place>();
  /** Of the places those with free readers; the one that has had some for longest first. */
  #free = new Map<string, Place>();
  #count = 0;

  take(address: string, protocol: RequestOrigin['protocol']): ClientReader {
    const key = protocol + address;
    let place = this.#places.get(key);
    if (place === undefined) {
      const origin: RequestOrigin = { address, protocol, version: '1.1' };
      const forwarding = new ForwardingFields(origin);
      place = { origin, forwarding, memory: new HeadMemory(), free: [], taken: 0 };
      this.#places.set(key, place);
    }
    place.taken += 1;
    const reader = place.free.pop();
    if (reader !== undefined) {
      this.#count -= 1;
      if (place.free.length === 0) this.#free.delete(key);
      return reader;
    }
    const { origin, forwarding, memory } = place;
    return { origin, requests: new RequestReader((fields) => forwarding.of(fields), memory) };
  }

  /** A connection is done with its reader. One that found a fault is in the middle of something, and left out. */
  put(reader: ClientReader): void {
    const { address, protocol } = reader.origin;
    const key = protocol + address;
    const place = this.#places.get(key);
    if (place === undefined) return;
    place.taken -= 1;
    if (reader.requests.fault === '') {
      if (this.#count >= MOST_FREE) this.#forgetOldest();
      reader.requests.reset();
      place.free.push(reader);
      this.#free.set(key, place);
      this.#count += 1;
    }
    this.#forgetIfUnused(key, place);
  }

  #forgetOldest(): void {
    for (const [key, place] of this.#free) {
      this.#free.delete(key);
      this.#count -= place.free.length;
      place.free.length = 0;
      this.#forgetIfUnused(key, place);
      return;
    }
  }

  #forgetIfUnused(key: string, place: Place): void {
    if (place.taken === 0 && place.free.length === 0) this.#places.delete(key);
  }
}
