import type { Socket } from 'node:net';
import type { Clock, Logger } from '@skyrun/kit';
import type { ReaderPool } from '../downstream/reader-pool.ts';
import type { SmallPieces } from '../downstream/small-pieces.ts';
import type { Meter } from '../meter/meter.ts';
import type { Observer } from '../observe/observer.ts';
import type { ClientTally, CountedConnection } from '../view/client-tally.ts';
import type { RoomBounds } from '../waiting/waiting-room.ts';
import type { Admission } from './admission.ts';
import type { OwnAnswer } from './answer.ts';
import type { Destination, Instance } from './destination.ts';
import type { HttpDate } from './http-date.ts';
import type { RandomHex } from './ids.ts';
import type { RequestHead } from './request-head.ts';

/** All times in ms. */
export interface GatewayLimits {
  /** First byte of a head to its last. */
  readonly headerMs: number;
  /** A connection without a request for so long lets go of what it reads them with. */
  readonly restMs: number;
  /** Between two requests of a connection. */
  readonly idleMs: number;
  /** Between two pieces of a request's body, and of a response that the client does not take. */
  readonly stallMs: number;
  readonly connectMs: number;
  /** In the waiting room. */
  readonly waitMs: number;
  /** Of one waiting room. */
  readonly roomBounds: RoomBounds;
  /** How long requests in flight and open tunnels may go on after the gateway was told to stop. */
  readonly drainMs: number;
  /** How long a client's connection must have been idle before a gateway that stops ends it: the next request may be on its way. */
  readonly drainIdleMs: number;
}

/** Where a request goes. */
export type Decision =
  | { readonly kind: 'forward'; readonly destination: Destination; readonly admission: Admission | null }
  | { readonly kind: 'answer'; readonly answer: OwnAnswer };

/** A client's connection, as the gateway looks after it. */
export interface OpenConnection extends CountedConnection {
  /** Bounds that only time can break; called several times a second. */
  check(now: number): void;
  /** The gateway stops. */
  drain(): void;
  destroy(): void;
}

/** What the connections of one gateway share. */
export interface GatewayCore {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: GatewayLimits;
  readonly meter: Meter;
  readonly stats: Stats;
  readonly random: RandomHex;
  readonly date: HttpDate;
  readonly connections: Set<OpenConnection>;
  readonly clients: ClientTally;
  readonly readers: ReaderPool;
  readonly smallPieces: SmallPieces;
  /** Instances with connections: of very many, only these are looked after. */
  readonly warm: Set<Instance>;
  /**
   * Monotonic ms, whole, moved on a few times a second and with each request (`askTime`): exact enough for bounds, free to read.
   * V8 keeps whole numbers where they are stored and puts others each into a place of its own, which with hundreds of connections
   * the processor has to fetch.
   */
  now: number;
  /** The same with its fraction. */
  exact: number;
  /** The gateway is stopping: each connection ends after its response. */
  draining: boolean;
  /**
   * The last attempt of any request, and by it all that a request is made of: where V8 collects while none is in flight, it
   * throws away the code compiled for objects of which none is left, and the next requests take twice as long.
   */
  lastAttempt: unknown;
  /** Who wants to know of requests: traces, the access log; null: nobody, and requests pay nothing for it. */
  readonly observer: Observer | null;
  /** `address`: the client's. */
  decide(head: RequestHead, address: string): Decision;
  /** The field that tells what a request cost so far, with its CR LF, or ''; `ms` from the instance's getting it. */
  costField(destination: Destination, ms: number, until: 'head' | 'end'): string;
  /** The destination has traffic to report. */
  onTraffic(destination: Destination): void;
  /** Takes over a connection whose client begins with TLS on the plain port; null: it is refused like any other noise. */
  onEncrypted: ((socket: Socket) => void) | null;
  /** A request began to wait. */
  onWaiting(destination: Destination): void;
  /** Room may have come free: serves who waits. */
  drainRoom(destination: Destination, now: number): void;
}

/** Monotonic ms, which all are told of to whom those of the last request are exact enough. */
export function askTime(core: Pick<GatewayCore, 'clock' | 'now' | 'exact'>): number {
  const now = core.clock.monotonic();
  core.exact = now;
  core.now = Math.floor(now);
  return now;
}

/** Counters of one process since its start. */
export class Stats {
  connections = 0;
  refused = 0;
  /** Requests beyond a rate limit. */
  limited = 0;
  /** TLS handshakes that failed. */
  handshakeErrors = 0;
  clientErrors = 0;
  /** Times that a request was sent again after its connection to an instance broke. */
  repeated = 0;
  /** Requests that were not, because the service's budget for it was spent. */
  unrepeated = 0;
  ended = [0, 0, 0, 0, 0];

  /** Counts up with whatever clients do. */
  get activity(): number {
    return this.ended.reduce((sum, count) => sum + count, this.connections);
  }

  onEnd(status: number): void {
    const index = Math.floor(status / 100) - 1;
    this.ended[index] = (this.ended[index] ?? 0) + 1;
  }
}
