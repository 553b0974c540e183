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

/** A connection that nothing but memory carries. */
class Wire extends Duplex {
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
  #requests: NodeRequest[] = [];
  #fault = '';

  constructor() {
    // Node's own bound is lower than the gateway's; that is its limit, not the request's.
    this.#server = createServer({ maxHeaderSize: 65_536, requireHostHeader: false }, (incoming, response) => {
      const index = this.#requests.length;
      this.#requests.push(asRead(incoming, ''));
      let body = '';
      incoming.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1');
        this.#requests[index] = asRead(incoming, body);
      });
      incoming.on('end', () => response.end());
      incoming.on('error', () => undefined);
    });
    this.#server.maxRequestsPerSocket = 0;
    this.#server.on('clientError', (error: NodeJS.ErrnoException) => {
      this.#fault = error.code ?? error.message;
    });
    this.#server.on('checkContinue', (incoming, response) => {
      this.#server.emit('request', incoming, response);
    });
    this.#server.on('checkExpectation', (incoming, response) => {
      this.#server.emit('request', incoming, response);
    });
  }

  /** One reading at a time. */
  async read(bytes: Buffer): Promise<NodeReading> {
    this.#requests = [];
    this.#fault = '';
    const wire = new Wire({ allowHalfOpen: true });
    wire.on('error', () => undefined);
    this.#server.emit('connection', wire);
    wire.push(bytes);
    // Requests that came together are answered one after the other, each within a few turns.
    let quiet = 0;
    for (let seen = -1; quiet < QUIET_TURNS; quiet = seen === this.#progress() ? quiet + 1 : 0) {
      seen = this.#progress();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const reading = { requests: this.#requests, fault: this.#fault };
    wire.destroy();
    return reading;
  }

  #progress(): number {
    return this.#requests.reduce((sum, { body }) => sum + 1 + body.length, 0);
  }
}

const QUIET_TURNS = 4;

function asRead({ method = '', url = '', headers }: IncomingMessage, body: string): NodeRequest {
  return { method, target: url, host: headers.host ?? '', body };
}
