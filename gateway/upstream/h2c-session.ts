import type { ClientHttp2Session, ClientHttp2Stream, SecureClientSessionOptions } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { headText } from '../http1/head-text.ts';
import { RESPONSE_LIMITS } from '../http1/limits.ts';
import { parseResponseFields, type ResponseFields } from '../http1/response-head.ts';
import { nodeHttp2 } from '../http2/node-http2.ts';
import { MAX_IDLE_MS } from './pool.ts';
import type { Loss } from './response-receiver.ts';

/** As much of one response as may be on its way before the client has taken what came before. */
const STREAM_WINDOW_BYTES = 262_144;
/** Of all responses of a connection together; each is still bounded by its own. */
const CONNECTION_WINDOW_BYTES = 16 * STREAM_WINDOW_BYTES;
/** Megabytes; a bound for a peer that misbehaves, far above what the windows let come. */
const SESSION_MEMORY_MB = 128;
/** Stream numbers end at 2^31 and are odd: a connection is left long before. */
const MAX_CARRIED = 500_000_000;
/** A connection with requests in flight that was silent for so long, in ms, is asked whether it lives, and given so long. */
const SILENCE_MS = 10_000;
const PING_MS = 5000;

/** A request that waits for its connection. */
export interface Passenger {
  /** The connection is there, with room for it. */
  board(): void;
  /** There is no room in this connection. */
  replace(): void;
  lose(loss: Loss): void;
}

/**
 * One HTTP/2 connection to an instance, begun with prior knowledge (RFC 9113 §3.3). Nothing is sent on it before the
 * instance's SETTINGS have come: they prove that it speaks HTTP/2, and say how many streams it takes.
 *
 *   connecting ──SETTINGS──► open ──GOAWAY, last stream number near──► leaving ──last stream closed──► gone
 *       │ refused, not HTTP/2   │ error                                    │
 *       └───────────────────────┴──────────────────────────────────────────┴──► gone
 */
export class H2cSession {
  connected = false;
  /** Monotonic ms after which it must not be used again, while it carries nothing. */
  idleUntil = Number.POSITIVE_INFINITY;
  /** Whole responses so far. */
  answered = 0;
  readonly #session: ClientHttp2Session;
  readonly #limit: number;
  #peerLimit = Number.POSITIVE_INFINITY;
  #streams = 0;
  #carried = 0;
  #leaving = false;
  #error = '';
  #spoke = false;
  #passengers: Passenger[] = [];
  #lastBlock = '';
  #lastFields: ResponseFields | string = '';
  #heardAt = 0;
  #pingedAt = 0;

  constructor(options: {
    address: string;
    port: number;
    /** Requests at a time, as far as the instance takes as many. */
    streams: number;
    onClose: (session: H2cSession) => void;
    /** The instance takes leave. */
    onGoaway: () => void;
  }) {
    this.#limit = options.streams;
    const settings: SecureClientSessionOptions & { strictSingleValueFields: boolean } = {
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxHeaderListSize: RESPONSE_LIMITS.headBytes,
      },
      maxHeaderListPairs: RESPONSE_LIMITS.fields + 4,
      maxSessionMemory: SESSION_MEMORY_MB,
      // Fields that come twice are passed on twice, as over HTTP/1.1; Node would throw.
      strictSingleValueFields: false,
      createConnection: () => connectSocket({ host: options.address, port: options.port, noDelay: true }),
    };
    const session = nodeHttp2().connect('http://instance', settings);
    this.#session = session;
    session.on('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    session.on('remoteSettings', ({ maxConcurrentStreams }) => this.#onSettings(maxConcurrentStreams));
    session.on('goaway', () => {
      this.#leaving = true;
      options.onGoaway();
    });
    session.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error.code ?? error.message;
      if (this.#error === 'ERR_HTTP2_ERROR') this.#spoke = true;
    });
    session.on('close', () => {
      options.onClose(this);
      this.#losePassengers();
    });
  }

  /** Requests that it may still be given; 0 when it is on its way out. */
  get room(): number {
    if (this.#leaving || this.#session.closed || this.#session.destroyed || this.#carried >= MAX_CARRIED) return 0;
    // A peer that takes none for now is given one, which waits: opening further connections would not help.
    const limit = Math.max(1, Math.min(this.#limit, this.#peerLimit));
    return limit - this.#streams - this.#passengers.length;
  }

  get gone(): boolean {
    return this.#session.destroyed;
  }

  get busy(): boolean {
    return this.#streams > 0 || this.#passengers.length > 0;
  }

  /** Before it is connected. */
  await(passenger: Passenger): void {
    this.#passengers.push(passenger);
  }

  leave(passenger: Passenger): void {
    const index = this.#passengers.indexOf(passenger);
    if (index !== -1) this.#passengers.splice(index, 1);
  }

  /** Null: it ended in this moment. */
  request(headers: readonly string[], options: { endStream: boolean; trailers: boolean }): ClientHttp2Stream | null {
    if (this.#session.closed || this.#session.destroyed) return null;
    const { endStream, trailers } = options;
    const stream = this.#session.request(headers, { endStream, waitForTrailers: trailers });
    this.#streams += 1;
    this.#carried += 1;
    this.idleUntil = Number.POSITIVE_INFINITY;
    return stream;
  }

  /** A stream is gone. `now` is monotonic ms. */
  closed(now: number): void {
    this.#streams -= 1;
    if (!this.busy) this.idleUntil = now + MAX_IDLE_MS;
  }

  heard(now: number): void {
    this.#heardAt = now;
    this.#pingedAt = 0;
  }

  /** An equal text was read before: instances repeat their heads within a second. */
  fields(block: string): ResponseFields | string {
    if (block !== this.#lastBlock) {
      this.#lastFields = parseResponseFields(headText(block), 0);
      this.#lastBlock = block;
    }
    return this.#lastFields;
  }

  get lostDetail(): string {
    return this.#error === '' ? 'the connection was closed' : this.#error;
  }

  /** Called each second: asks a silent peer whether it lives. */
  check(now: number): void {
    if (!this.connected || this.#streams === 0) {
      this.#heardAt = now;
      return;
    }
    if (this.#pingedAt > 0) {
      if (now - this.#pingedAt > PING_MS) this.#session.destroy(new Error('it does not answer a PING'));
    } else if (now - this.#heardAt > SILENCE_MS) {
      this.#pingedAt = now;
      this.#session.ping((error) => {
        if (error === null) this.heard(now);
      });
    }
  }

  /** Takes nothing more, and ends when what it carries has ended. */
  close(): void {
    this.#leaving = true;
    if (this.connected) this.#session.close();
    else if (this.#passengers.length === 0) this.#session.destroy();
  }

  destroy(): void {
    this.#session.destroy();
  }

  #onSettings(maxConcurrentStreams: number | undefined): void {
    this.#peerLimit = maxConcurrentStreams ?? Number.POSITIVE_INFINITY;
    if (this.connected) return;
    this.connected = true;
    const waiting = this.#passengers;
    this.#passengers = [];
    for (const passenger of waiting) {
      if (this.room > 0) passenger.board();
      else passenger.replace();
    }
    if (this.#leaving) this.#session.close();
  }

  #losePassengers(): void {
    const waiting = this.#passengers;
    this.#passengers = [];
    const loss: Loss = this.#spoke
      ? { cause: 'malformed', detail: 'its port is named h2c, but it does not speak HTTP/2', answered: true }
      : { cause: 'connect', detail: this.lostDetail, answered: false };
    for (const passenger of waiting) passenger.lose(loss);
  }
}
