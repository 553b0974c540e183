import type { ServicePolicy } from '@skyrun/contracts';
import type { Carrier, RequestKind, Upstreams } from './carrier.ts';
import { H2cSession } from './h2c-session.ts';
import { H2cStream } from './h2c-stream.ts';

/**
 * Requests at a time on one connection, where the service's policy says nothing. Few enough that a broken connection
 * or a lost packet holds up few of them; enough that a connection costs nothing per request.
 */
export const DEFAULT_STREAMS = 16;

/**
 * HTTP/2 connections to one instance. A request goes to the fullest connection that has room, so that few are open and
 * the others age; a further one is opened when none has.
 */
export class H2cUpstreams implements Upstreams {
  /** Requests at a time on connections opened from now on. */
  #streams = DEFAULT_STREAMS;
  readonly #address: string;
  readonly #port: number;
  readonly #now: () => number;
  #sessions: H2cSession[] = [];

  constructor(options: {
    address: string;
    port: number;
    /** Monotonic ms. */
    now: () => number;
  }) {
    this.#address = options.address;
    this.#port = options.port;
    this.#now = options.now;
  }

  get idle(): number {
    return this.#sessions.filter((session) => session.connected && !session.busy).length;
  }

  get empty(): boolean {
    return this.#sessions.length === 0;
  }

  open(request: RequestKind): Carrier {
    const replace = () => this.#pick();
    return new H2cStream({ request, session: this.#pick(), replace, now: this.#now });
  }

  #pick(): H2cSession {
    let best: H2cSession | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const session of this.#sessions) {
      const { room } = session;
      if (room <= 0) continue;
      // One that is there before one that is not.
      const rank = session.connected ? room : room + 1_000_000;
      if (rank >= least) continue;
      best = session;
      least = rank;
    }
    return best ?? this.#connect();
  }

  #connect(): H2cSession {
    const session = new H2cSession({
      address: this.#address,
      port: this.#port,
      streams: this.#streams,
      onClose: (closed) => {
        this.#sessions = this.#sessions.filter((one) => one !== closed);
      },
      // An instance that stops takes leave of all: a request must not try them one after the other.
      onGoaway: () => {
        for (const one of this.#sessions) if (one.connected && !one.busy) one.close();
      },
    });
    this.#sessions.push(session);
    return session;
  }

  follow(policy: ServicePolicy | undefined): void {
    this.#streams = policy?.multiplexing?.streams ?? DEFAULT_STREAMS;
  }

  sweep(now: number): void {
    for (const session of this.#sessions) {
      session.check(now);
      if (!session.busy && now >= session.idleUntil) session.close();
    }
  }

  reopen(): void {
    // Connections are opened when they are needed.
  }

  close(): void {
    for (const session of this.#sessions) session.close();
  }
}
