import { RequestReader } from '../http1/request-reader.ts';
import { forwardingFields, UpstreamHeads } from './request-head.ts';
import type { RequestOrigin } from './request-origin.ts';

/** The reader of one connection's requests. */
export interface ClientReader {
  readonly origin: RequestOrigin;
  readonly requests: RequestReader;
  /** Writes their heads for instances. */
  readonly heads: UpstreamHeads;
}

const MOST_FREE = 256;

/**
 * Readers that closed connections leave behind, by where these came from. A client that opens a connection for each request
 * repeats its head from one to the next; a reader that has seen it knows what it means.
 */
export class ReaderPool {
  #free = new Map<string, ClientReader[]>();
  #count = 0;

  take(address: string, protocol: RequestOrigin['protocol']): ClientReader {
    const key = protocol + address;
    const readers = this.#free.get(key);
    const reader = readers?.pop();
    if (readers?.length === 0) this.#free.delete(key);
    if (reader !== undefined) {
      this.#count -= 1;
      return reader;
    }
    const origin: RequestOrigin = { address, protocol, version: '1.1' };
    const requests = new RequestReader((fields) => forwardingFields(fields, origin));
    return { origin, requests, heads: new UpstreamHeads() };
  }

  /** One that found a fault is left out: it would recognise the bytes that it refused. */
  put(reader: ClientReader): void {
    if (reader.requests.fault !== '') return;
    if (this.#count >= MOST_FREE) this.#forgetOldest();
    reader.requests.reset();
    const { address, protocol } = reader.origin;
    const readers = this.#free.get(protocol + address);
    if (readers === undefined) this.#free.set(protocol + address, [reader]);
    else readers.push(reader);
    this.#count += 1;
  }

  /** Of the client that has been away for longest, as far as the order of first readers tells. */
  #forgetOldest(): void {
    for (const [key, readers] of this.#free) {
      this.#free.delete(key);
      this.#count -= readers.length;
      return;
    }
  }
}
