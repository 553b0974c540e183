import type { ServicePolicy } from '@skyrun/contracts';
import type { HeadMemory } from '../http1/head-memory.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Carrier, RequestKind } from './carrier.ts';
import { PipelinedConnection, type SharedPlace } from './pipelined-connection.ts';
import { mayShare } from './pipelined-request.ts';

/** After a connection broke under several requests, or one held the others up, each travels alone for so long, in ms. */
const REST_MS = 10_000;

/** Requests that have lost a shared connection once; whatever instance they go to next, they travel alone. */
const ALONE = new WeakSet<RequestKind>();

export type Pipelining = NonNullable<ServicePolicy['pipelining']>;

/**
 * Connections to one instance that reads share. A request goes to the fullest that has room, so that few are open, what
 * goes out together is much, and the others age.
 */
export class PipelinedUpstreams {
  #wanted: Pipelining;
  #connections: PipelinedConnection[] = [];
  /** Monotonic ms. */
  #restUntil = 0;
  #watch: NodeJS.Timeout | null = null;
  readonly #now: () => number;
  readonly #place: SharedPlace;

  constructor(
    place: {
      readonly address: string;
      readonly port: number;
      readonly memory: HeadMemory<ResponseHead>;
      /** Monotonic ms. */
      readonly now: () => number;
    },
    wanted: Pipelining,
  ) {
    this.#wanted = wanted;
    this.#now = place.now;
    this.#place = {
      ...place,
      onMoved: (request) => ALONE.add(request),
      onTrouble: () => {
        this.#restUntil = place.now() + REST_MS;
      },
      onGone: (gone) => {
        this.#connections = this.#connections.filter((connection) => connection !== gone);
      },
    };
  }

  /** Connections without a request. */
  get idle(): number {
    return this.#connections.filter(({ connected, inFlight }) => connected && inFlight === 0).length;
  }

  get empty(): boolean {
    return this.#connections.length === 0;
  }

  /** Null: the request travels alone. `now` is monotonic ms. */
  open(request: RequestKind, now: number): Carrier | null {
    if (now < this.#restUntil || !mayShare(request) || ALONE.has(request)) return null;
    let best: PipelinedConnection | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const connection of this.#connections) {
      const room = connection.room(this.#wanted.depth);
      if (room <= 0 || room >= least || now >= connection.idleUntil) continue;
      best = connection;
      least = room;
    }
    if (best === null) {
      best = new PipelinedConnection(this.#place);
      this.#connections.push(best);
    } else if (best.inFlight > 0) this.#arm();
    return best.board(request);
  }

  follow(wanted: Pipelining): void {
    this.#wanted = wanted;
  }

  /** Looks whether somebody is held up, while several share a connection. */
  #arm(): void {
    if (this.#watch !== null) return;
    const { heldUpMs } = this.#wanted;
    this.#watch = setTimeout(() => {
      this.#watch = null;
      const now = this.#now();
      for (const connection of this.#connections) connection.check(now, heldUpMs);
      if (this.#connections.some(({ inFlight }) => inFlight > 1)) this.#arm();
    }, heldUpMs / 2);
    this.#watch.unref();
  }

  /** Closes what was idle for too long. */
  sweep(now: number): void {
    for (const connection of this.#connections) if (now >= connection.idleUntil) connection.close();
  }

  /** Idle connections end now, others after what they carry. */
  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}
