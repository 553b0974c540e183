import type { Carrier, RequestKind, Upstreams } from './carrier.ts';
import { UpstreamConnection } from './connection.ts';
import { ConnectionPool } from './pool.ts';

/** HTTP/1.1 with one request at a time on each connection. */
export class PlainUpstreams implements Upstreams {
  readonly #pool = new ConnectionPool<UpstreamConnection>();
  readonly #address: string;
  readonly #port: number;

  constructor(place: { address: string; port: number }) {
    this.#address = place.address;
    this.#port = place.port;
  }

  get idle(): number {
    return this.#pool.size;
  }

  open(_request: RequestKind, now: number): Carrier {
    return (
      this.#pool.take(now) ?? new UpstreamConnection({ address: this.#address, port: this.#port, pool: this.#pool })
    );
  }

  follow(): void {
    // Nothing can be asked of it.
  }

  sweep(now: number): void {
    this.#pool.sweep(now);
  }

  reopen(): void {
    this.#pool.open();
  }

  close(): void {
    this.#pool.close();
  }
}
