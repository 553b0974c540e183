import { connect, type Socket } from 'node:net';
import { ChunkScanner } from '../http1/chunked.ts';
import type { Carrier } from './carrier.ts';
import { JOINED_BYTES, joinedWrite } from './joined-write.ts';
import { type ConnectionPool, DEFAULT_IDLE_MS, MAX_IDLE_MS, type Poolable } from './pool.ts';
import { ReadBuffer, SPARE_BYTES, sharedReads } from './read-buffer.ts';
import type { ResponseHeads } from './response-heads.ts';
import type { Loss, ResponseReceiver } from './response-receiver.ts';

/** After so many small reads in a row a connection gives its own buffer up. */
const SMALL_READS = 32;

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
export class UpstreamConnection implements Carrier, Poolable {
  freshUntil = 0;
  idleUntil = 0;
  connected = false;
  /** Whether it has carried a whole exchange before this one. */
  reused = false;
  #receiver: ResponseReceiver | null = null;
  #phase: 'head' | 'length' | 'chunked' | 'close' | 'tunnel' = 'head';
  #remaining = 0;
  #answered = false;
  /** As the instance said; -1: it did not. */
  #toldMs = -1;
  #reusable = true;
  #error = '';
  /** What it reads into while its reads are large; null: what it shares with others. */
  #own: ReadBuffer | null = null;
  #smallReads = 0;
  readonly #socket: Socket;
  readonly #pool: ConnectionPool<UpstreamConnection>;
  readonly #chunks = new ChunkScanner();
  /** Of all connections to the instance: reads the heads that come in one piece, which are nearly all. */
  readonly #heads: ResponseHeads;
  /** Reads one that comes in several. */
  #begun: ResponseHeads | null = null;

  constructor(options: {
    address: string;
    port: number;
    /** Where it lies between two requests. */
    pool: ConnectionPool<UpstreamConnection>;
    /** Of all connections to the instance. */
    heads: ResponseHeads;
  }) {
    this.#pool = options.pool;
    this.#heads = options.heads;
    const socket = connect({
      host: options.address,
      port: options.port,
      noDelay: true,
      allowHalfOpen: true,
      onread: {
        buffer: () => this.#nextTarget(),
        // By what Node has read into, so that there is no second opinion of where the bytes are.
        callback: (length, target) =>
          this.#onRead(this.#own?.target === target ? this.#own : sharedReads, SPARE_BYTES + length),
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

  writeText(begin: string, tail: string, body: string): boolean {
    if (begin.length + tail.length + body.length > JOINED_BYTES) {
      return this.#socket.write(begin + tail + body, 'latin1');
    }
    joinedWrite.begin();
    joinedWrite.text(begin);
    joinedWrite.text(tail);
    joinedWrite.text(body);
    return joinedWrite.send(this.#socket);
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
    const toldMs = this.#toldMs;
    this.freshUntil = now + (toldMs === -1 ? DEFAULT_IDLE_MS : toldMs);
    // One that holds a buffer of its own is not worth the memory for longer.
    this.idleUntil = toldMs === -1 && this.#own === null ? now + MAX_IDLE_MS : this.freshUntil;
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

  /** Where the next read goes; asked after each. Large reads are written on from where they stand, which must be the connection's own. */
  #nextTarget(): Uint8Array {
    const own = this.#own;
    if (own === null) {
      if (!sharedReads.takeKept()) return sharedReads.target;
      this.#smallReads = 0;
      this.#own = ReadBuffer.ofOne();
      return this.#own.target;
    }
    this.#smallReads = own.takeKept() ? 0 : this.#smallReads + 1;
    if (this.#smallReads < SMALL_READS) return own.target;
    this.#own = null;
    return sharedReads.target;
  }

  /** `length`: of what the buffer holds, with the spare bytes before it. */
  #onRead(buffer: ReadBuffer, length: number): boolean {
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
  #onHead(buffer: ReadBuffer, position: number, length: number, receiver: ResponseReceiver): number {
    const heads = this.#begun ?? this.#heads;
    const step = buffer.readHead(heads, position, length);
    if (step === 'more') {
      // What many share must be free for the next.
      if (heads === this.#heads) this.#begun = heads.detach();
      // Interim responses before it may wait for the client to take them.
      return length;
    }
    this.#begun = null;
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
    if (fields.keepAliveMs >= 0) this.#toldMs = Math.max(0, Math.min(MAX_IDLE_MS, fields.keepAliveMs - 1000));
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
    this.#begun = null;
    this.#socket.destroy();
    if (receiver === null) return;
    if (this.reused && cause === 'closed' && !this.#answered) this.#pool.doubt(this);
    receiver.onLost({ cause, detail, answered: this.#answered });
  }
}
