import type { ServicePolicy } from '@skyrun/contracts';
import { HeadMemory } from '../http1/head-memory.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Carrier, RequestKind, Upstreams } from './carrier.ts';
import { UpstreamConnection } from './connection.ts';
import { PipelinedUpstreams } from './pipelined-upstreams.ts';
import { ConnectionPool } from './pool.ts';
import { ResponseHeads } from './response-heads.ts';

/** HTTP/1.1 with one request at a time on each connection, unless the service lets its reads share some. */
export class PlainUpstreams implements Upstreams {
  readonly #pool = new ConnectionPool<UpstreamConnection>();
  readonly #memory = new HeadMemory<ResponseHead>();
  readonly #heads = new ResponseHeads(this.#memory);
  readonly #address: string;
  readonly #port: number;
  readonly #now: (() => number) | undefined;
  #shared: PipelinedUpstreams | null = null;

  constructor(place: {
    readonly address: string;
    readonly port: number;
    /** Monotonic ms. Absent: its connections are never shared. */
    readonly now?: () => number;
  }) {
    this.#address = place.address;
    this.#port = place.port;
    this.#now = place.now;
  }

  get idle(): number {
    return this.#pool.size + (this.#shared?.idle ?? 0);
  }

  get empty(): boolean {
    return this.#pool.size === 0 && (this.#shared === null || this.#shared.empty);
  }

  open(request: RequestKind, now: number): Carrier {
    const shared = this.#shared === null ? null : this.#shared.open(request, now);
    if (shared !== null) return shared;
    return this.#pool.take(request, now) ?? this.#connect();
  }

  #connect(): UpstreamConnection {
    return new UpstreamConnection({
      address: this.#address,
      port: this.#port,
      pool: this.#pool,
      heads: this.#heads,
    });
  }

  follow(policy: ServicePolicy | undefined): void {
    const pipelining = policy?.pipelining;
    const now = this.#now;
    if (pipelining === undefined || now === undefined) {
      this.#shared?.close();
      this.#shared = null;
    } else if (this.#shared === null) {
      const place = { address: this.#address, port: this.#port, memory: this.#memory, now };
      this.#shared = new PipelinedUpstreams(place, pipelining);
    } else this.#shared.follow(pipelining);
  }

  sweep(now: number): void {
    this.#pool.sweep(now);
    this.#shared?.sweep(now);
  }

  reopen(): void {
    this.#pool.open();
  }

  close(): void {
    this.#pool.close();
    this.#shared?.close();
  }
}
