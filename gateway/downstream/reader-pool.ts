import { HeadMemory } from '../http1/head-memory.ts';
import type { KnownRequest } from '../http1/known-request.ts';
import { RequestReader, type RequestsBefore } from '../http1/request-reader.ts';
import { ForwardingFields } from '../pipeline/request-head.ts';
import type { RequestOrigin } from '../pipeline/request-origin.ts';

/** Places that are kept although no connection comes from there any more. */
const MOST_UNUSED = 256;
/** Readers that are kept although no connection needs them, but for one of each place. */
const MOST_FREE = 256;

/**
 * Where connections come from: an address and a protocol. They share what heads mean, and who reads them: a connection
 * has a reader only while part of a request was read, so that hundreds of them, whose requests come in one piece, are read
 * by the same one, which the processor has at hand.
 */
export class Place {
  readonly origin: RequestOrigin;
  /** Connections that have sent something, and do not rest. */
  connections = 0;
  readonly #forwarding: ForwardingFields;
  readonly #memory = new HeadMemory<KnownRequest>();
  readonly #free: RequestReader[] = [];
  readonly #all: { free: number };

  /** `all`: counts the free readers of all places. */
  constructor(origin: RequestOrigin, all: { free: number }) {
    this.origin = origin;
    this.#forwarding = new ForwardingFields(origin);
    this.#all = all;
  }

  /** `before`: of the connection that is to be read. */
  take(before: RequestsBefore): RequestReader {
    let reader = this.#free.pop();
    if (reader === undefined) reader = this.#newReader();
    else this.#all.free -= 1;
    reader.begin(before);
    return reader;
  }

  #newReader(): RequestReader {
    const forwarding = this.#forwarding;
    return new RequestReader((fields) => forwarding.of(fields), this.#memory);
  }

  /** A connection needs its reader no more. One that found a fault is in the middle of something, and left out. */
  put(reader: RequestReader): void {
    if (reader.fault !== '' || (this.#free.length > 0 && this.#all.free >= MOST_FREE)) return;
    this.#free.push(reader);
    this.#all.free += 1;
  }

  /** Nobody is here any more: one reader is enough for who comes back. */
  rest(): void {
    const spare = Math.max(0, this.#free.length - 1);
    this.#free.length -= spare;
    this.#all.free -= spare;
  }

  /** The place is forgotten. */
  drop(): void {
    this.#all.free -= this.#free.length;
    this.#free.length = 0;
  }
}

/**
 * The places that requests come from. A client that opens a connection for each request repeats its head from one to the next:
 * so a place is known for a while after its last connection.
 */
export class ReaderPool {
  readonly #places = new Map<string, Place>();
  /** Those without connections; the one that has had none for longest first. */
  readonly #unused = new Map<string, Place>();
  readonly #all = { free: 0 };

  /** A connection from there has begun to send. */
  enter(address: string, protocol: RequestOrigin['protocol']): Place {
    const key = protocol + address;
    let place = this.#places.get(key);
    if (place === undefined) {
      place = new Place({ address, protocol, version: '1.1' }, this.#all);
      this.#places.set(key, place);
    } else if (place.connections === 0) this.#unused.delete(key);
    place.connections += 1;
    return place;
  }

  /** It is closed, or rests. */
  leave(place: Place): void {
    place.connections -= 1;
    if (place.connections > 0) return;
    const { address, protocol } = place.origin;
    place.rest();
    this.#unused.set(protocol + address, place);
    if (this.#unused.size > MOST_UNUSED) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const [key, place] of this.#unused) {
      this.#unused.delete(key);
      this.#places.delete(key);
      place.drop();
      return;
    }
  }
}
