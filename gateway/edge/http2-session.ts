import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerSessionOptions,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import type { GatewayCore, OpenConnection } from '../pipeline/core.ts';
import { StreamClient } from './stream-client.ts';

/** Requests in flight on one connection, as nginx allows. */
const MAX_STREAMS = 128;
/** As much of a body as may be on its way before it was passed on, per stream. */
const WINDOW_BYTES = 262_144;

/** One HTTP/2 connection of a client. Each of its streams is a request of its own. */
export class Http2Session implements OpenConnection {
  #core: GatewayCore;
  #session: ServerHttp2Session;
  #clients = new Set<StreamClient>();
  readonly address: string;
  requests = 0;
  counted = 0;
  #idleSince: number;

  constructor(core: GatewayCore, options: { socket: Duplex; address: string; protocol: 'http' | 'https' }) {
    this.#core = core;
    this.address = options.address;
    this.#idleSince = core.now;
    const settings: ServerSessionOptions & { strictSingleValueFields: boolean } = {
      settings: { maxConcurrentStreams: MAX_STREAMS, initialWindowSize: WINDOW_BYTES, enableConnectProtocol: false },
      maxHeaderListPairs: 120,
      maxSessionMemory: 16,
      // An instance's fields that come twice are passed on twice, as over HTTP/1.1; Node would throw.
      strictSingleValueFields: false,
    };
    const session = performServerHandshake(options.socket, settings);
    this.#session = session;
    core.connections.add(this);
    core.stats.connections += 1;
    session.on('stream', (stream: ServerHttp2Stream, _headers: IncomingHttpHeaders, flags: number, raw: string[]) => {
      const client = new StreamClient(core, {
        stream,
        rawHeaders: raw,
        endStream: (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0,
        address: options.address,
        protocol: options.protocol,
      });
      this.#clients.add(client);
      this.requests += 1;
      stream.once('close', () => {
        this.#clients.delete(client);
        this.#idleSince = core.now;
      });
    });
    session.on('error', () => {
      core.stats.clientErrors += 1;
    });
    session.on('frameError', (_type: number, _code: number, _id: number) => session.destroy());
    session.on('close', () => {
      core.connections.delete(this);
      core.clients.closed(this);
    });
  }

  check(now: number): void {
    const { limits } = this.#core;
    for (const client of this.#clients) client.check(now, limits.stallMs);
    if (this.#clients.size === 0 && now - this.#idleSince > limits.idleMs) this.#session.close();
  }

  /** The gateway stops: GOAWAY, and what runs ends. */
  drain(): void {
    this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }
}
