import { connect, type Socket } from 'node:net';
import { ChunkScanner } from '../http1/chunked.ts';
import type { HeadMemory } from '../http1/head-memory.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Carrier } from './carrier.ts';
import { type ConnectionPool, DEFAULT_IDLE_MS, MAX_IDLE_MS } from './pool.ts';
import { ResponseHeads } from './response-heads.ts';
import type { Loss, ResponseReceiver } from './response-receiver.ts';

const READ_BUFFER_BYTES = 65_536;
/** Kept free before what is read, for a head that is longer than the instance's. */
const SPARE_BYTES = 2048;

/**
 * One connection to an instance and the reader of its responses, one at a time.
 *
 *   connecting ──► idle ◄────────────────────────────────┐
 *                   │ receiver set                       │ whole and reusable
 *                   ▼                                    │
 *                  head ──1xx──► head                    │
 *                   ├──101──► tunnel                     │
 *                   └──► length │ chunked │ close ───────┤
 *                                                        ▼ otherwise
 *                                                     destroyed
 *
 * Bytes that come while no request is out, or after a whole response, end the connection: they can belong to no
 * request, so they are given to none.
 */
export class UpstreamConnection implements Carrier {
  /** Monotonic ms after which it must not be used again. */
  idleUntil = 0;
  connected = false;
  /** Whether it has carried a whole exchange before this one. */
  reused = false;
  #receiver: ResponseReceiver | null = null;
  #phase: 'head' | 'length' | 'chunked' | 'close' | 'tunnel' = 'head';
  #remaining = 0;
  #answered = false;
  #idleMs = DEFAULT_IDLE_MS;
  #reusable = true;
  #error = '';
  readonly #socket: Socket;
  readonly #pool: ConnectionPool<UpstreamConnection>;
  readonly #chunks = new ChunkScanner();
  readonly #heads: ResponseHeads;

  constructor(options: {
    address: string;
    port: number;
    /** Where it lies between two requests. */
    pool: ConnectionPool<UpstreamConnection>;
    /** Of all connections to the instance. */
    memory: HeadMemory<ResponseHead>;
  }) {
    this.#pool = options.pool;
    this.#heads = new ResponseHeads(options.memory);
    const buffer = Buffer.allocUnsafeSlow(SPARE_BYTES + READ_BUFFER_BYTES);
    const socket = connect({
      host: options.address,
      port: options.port,
      noDelay: true,
      allowHalfOpen: true,
      onread: {
        buffer: buffer.subarray(SPARE_BYTES),
        callback: (length) => this.#onRead(buffer, SPARE_BYTES + length),
      },
    });
    this.#socket = socket;
    socket.on('connect', () => {
      this.connected = true;
      this.#receiver?.onConnected();
    });
    socket.on('drain', () => this.#receiver?.onUpstreamDrain());
    socket.on('end', () => this.#onEnd());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error.code ?? error.message;
    });
    socket.on('close', () => {
      this.#pool.remove(this);
      this.#lose(this.connected ? 'closed' : 'connect', this.#error || 'the connection was closed');
    });
  }

  /** Gives the connection to a request. */
  take(receiver: ResponseReceiver): void {
    this.#receiver = receiver;
    this.#phase = 'head';
    this.#answered = false;
    this.#reusable = true;
  }

  writeText(text: string): boolean {
    return this.#socket.write(text, 'latin1');
  }

  write(chunk: Buffer): boolean {
    return this.#socket.write(chunk);
  }

  end(): void {
    this.#socket.end();
  }

  /** Takes the connection from its request, which will hear nothing more. */
  release(now: number): void {
    this.#receiver = null;
    this.reused = true;
    this.idleUntil = now + this.#idleMs;
    this.#pool.put(this);
  }

  giveUp(): void {
    this.#socket.destroy();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#receiver = null;
    this.#socket.destroy();
  }

  /** `length`: of what the buffer holds, with the spare bytes before it. */
  #onRead(buffer: Buffer, length: number): boolean {
    const receiver = this.#receiver;
    if (receiver === null) {
      this.#socket.destroy();
      return true;
    }
    this.#answered = true;
    let position = SPARE_BYTES;
    while (position < length) {
      switch (this.#phase) {
        case 'head': {
          const next = this.#onHead(buffer, position, length, receiver);
          if (next === -1) return true;
          position = next;
          break;
        }
        case 'length': {
          const end = Math.min(length, position + this.#remaining);
          this.#remaining -= end - position;
          receiver.onContent(buffer, position, end, position);
          position = end;
          if (this.#remaining === 0) {
            this.#finish(receiver, position === length);
            return this.#receiver !== receiver || receiver.onReadEnd();
          }
          break;
        }
        case 'chunked': {
          position = receiver.onChunked(buffer, position, length, this.#chunks, position);
          if (this.#chunks.phase === 'fault') {
            this.#lose('malformed', this.#chunks.fault);
            return true;
          }
          if (this.#chunks.done) {
            this.#finish(receiver, position === length);
            return this.#receiver !== receiver || receiver.onReadEnd();
          }
          break;
        }
        case 'close':
          receiver.onContent(buffer, position, length, position);
          position = length;
          break;
        case 'tunnel':
          receiver.onTunnelData(buffer, position, length);
          position = length;
          break;
        default:
      }
      if (this.#receiver !== receiver) return true;
    }
    return receiver.onReadEnd();
  }

  /** Reads a head; returns the position after it, or -1 when there is nothing more to do with this read. */
  #onHead(buffer: Buffer, position: number, length: number, receiver: ResponseReceiver): number {
    const heads = this.#heads;
    const step = heads.read(buffer, position, length);
    // Interim responses before it may wait for the client to take them.
    if (step === 'more') return length;
    const { head } = heads;
    if (step === 'fault' || head === null) {
      this.#lose('malformed', heads.fault);
      return -1;
    }
    const { line, fields } = head;
    const next = heads.end;
    if (line.status === 101) {
      if (receiver.onSwitch(line, fields)) {
        this.#phase = 'tunnel';
        return next;
      }
      this.#lose('malformed', 'it changed to a protocol that was not asked for');
      return -1;
    }
    if (line.status < 200) {
      receiver.onInterim(line, fields);
      return next;
    }
    const bodyless = receiver.method === 'HEAD' || line.status === 204 || line.status === 304;
    const framing = bodyless ? 'none' : fields.framing;
    if (fields.framing === 'chunked' && line.minor === 0) {
      this.#lose('malformed', 'HTTP/1.0 has no chunked coding');
      return -1;
    }
    this.#reusable = !fields.close && framing !== 'close' && (line.minor === 1 || fields.keepAlive);
    if (fields.keepAliveMs >= 0) this.#idleMs = Math.max(0, Math.min(MAX_IDLE_MS, fields.keepAliveMs - 1000));
    receiver.onResponse(head, framing);
    if (this.#receiver !== receiver) return -1;
    if (framing === 'none' || (framing === 'length' && fields.contentLength === 0)) {
      this.#finish(receiver, next === length);
      if (this.#receiver === receiver) receiver.onReadEnd();
      return -1;
    }
    this.#phase = framing;
    this.#remaining = fields.contentLength;
    if (framing === 'chunked') this.#chunks.reset();
    return next;
  }

  #finish(receiver: ResponseReceiver, nothingLeft: boolean): void {
    this.#phase = 'head';
    receiver.onResponseEnd(this.#reusable && nothingLeft);
  }

  #onEnd(): void {
    const receiver = this.#receiver;
    if (receiver !== null && this.#phase === 'tunnel') {
      receiver.onTunnelEnd();
      return;
    }
    if (receiver !== null && this.#phase === 'close') {
      this.#phase = 'head';
      receiver.onResponseEnd(false);
    }
    this.#socket.destroy();
  }

  #lose(cause: Loss['cause'], detail: string): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#heads.reset();
    this.#socket.destroy();
    receiver?.onLost({ cause, detail, answered: this.#answered });
  }
}
