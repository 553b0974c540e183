import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Duplex } from 'node:stream';

/** One request as Node's own server understood it. */
export interface NodeRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly body: string;
}

export interface NodeReading {
  readonly requests: readonly NodeRequest[];
  /** Node refused something after these; '' where not. */
  readonly fault: string;
}

/** A connection that nothing but memory carries, and what was read from it. */
class Wire extends Duplex {
  readonly requests: NodeRequest[] = [];
  fault = '';
  override _read(): void {
    // What there is was pushed.
  }
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
}

/** Node's own HTTP/1.1 server, without a network: what does it make of the bytes of a connection? */
export class NodeReader {
  readonly #server: Server;

  constructor() {
    // Node's own bound is lower than the gateway's; that is its limit, not the request's.
    this.#server = createServer({ maxHeaderSize: 65_536, requireHostHeader: false }, (incoming, response) => {
      const { requests } = wireOf(incoming.socket);
      const index = requests.length;
      requests.push(asRead(incoming, ''));
      let body = '';
      incoming.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1');
        requests[index] = asRead(incoming, body);
      });
      incoming.on('end', () => response.end());
      incoming.on('error', () => undefined);
    });
    this.#server.maxRequestsPerSocket = 0;
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      wireOf(socket).fault = error.code ?? error.message;
    });
    this.#server.on('checkContinue', (incoming, response) => {
      this.#server.emit('request', incoming, response);
    });
    this.#server.on('checkExpectation', (incoming, response) => {
      this.#server.emit('request', incoming, response);
    });
  }

  /** May be asked while it still reads: a search that runs out of time leaves its last question behind. */
  async read(bytes: Buffer): Promise<NodeReading> {
    const wire = new Wire({ allowHalfOpen: true });
    wire.on('error', () => undefined);
    this.#server.emit('connection', wire);
    wire.push(bytes);
    // Requests that came together are answered one after the other, each within a few turns.
    let quiet = 0;
    for (let seen = -1; quiet < QUIET_TURNS; quiet = seen === progress(wire) ? quiet + 1 : 0) {
      seen = progress(wire);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { requests, fault } = wire;
    wire.destroy();
    return { requests, fault };
  }
}

function wireOf(socket: Duplex): Wire {
  if (socket instanceof Wire) return socket;
  throw new TypeError('the server has a connection that was not made here');
}

function progress({ requests }: Wire): number {
  return requests.reduce((sum, { body }) => sum + 1 + body.length, 0);
}

const QUIET_TURNS = 4;

function asRead({ method = '', url = '', headers }: IncomingMessage, body: string): NodeRequest {
  return { method, target: url, host: headers.host ?? '', body };
}
