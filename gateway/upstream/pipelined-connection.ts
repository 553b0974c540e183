import { connect, type Socket } from 'node:net';
import { ChunkScanner } from '../http1/chunked.ts';
import type { HeadMemory } from '../http1/head-memory.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { RequestKind } from './carrier.ts';
import { NOBODY, PipelinedRequest, type SharedConnection } from './pipelined-request.ts';
import { DEFAULT_IDLE_MS, MAX_IDLE_MS } from './pool.ts';
import { ReadBuffer, SPARE_BYTES } from './read-buffer.ts';
import { ResponseHeads } from './response-heads.ts';
import type { Loss, ResponseReceiver } from './response-receiver.ts';

export interface SharedPlace {
  readonly address: string;
  readonly port: number;
  readonly memory: HeadMemory<ResponseHead>;
  /** Monotonic ms. */
  readonly now: () => number;
  /** A request that lost its place: it must travel alone from now on. */
  readonly onMoved: (request: RequestKind) => void;
  /** It broke with several requests on it, or one held the others up. */
  readonly onTrouble: () => void;
  readonly onGone: (connection: PipelinedConnection) => void;
}

/**
 * One HTTP/1.1 connection to an instance with several requests at a time. Responses come in the order of the requests (RFC
 * 9112 §9.3.2), and each is given to the first request that was written and has none.
 *
 *   unproven: one request ──whole, may be kept──► proven: many ──idle for too long──► gone
 *       │                                           │ one held the others up, the instance takes leave
 *       │                                           ▼
 *       │                                        leaving: nothing new, the others moved ──last one whole──► gone
 *       └──broken, malformed, a response that nobody asked for──► gone, all requests lost
 *
 * While a client takes a response out of the read buffer, nothing is read into it.
 */
export class PipelinedConnection implements SharedConnection {
  connected = false;
  /** It has brought a whole response after which it may be used again. */
  answered = false;
  /** Monotonic ms after which it must not be used again, while it carries nothing. */
  idleUntil = Number.POSITIVE_INFINITY;
  #boarded: PipelinedRequest[] = [];
  #batch: PipelinedRequest[] = [];
  #sent: PipelinedRequest[] = [];
  #leaving = false;
  #gone = false;
  #error = '';
  #idleMs = DEFAULT_IDLE_MS;
  /** Monotonic ms since when the first request in line is the first. */
  #frontSince = 0;
  #phase: 'head' | 'length' | 'chunked' | 'close' = 'head';
  #remaining = 0;
  #reusable = true;
  /** Its client is behind in the middle of the response. */
  #stalled: PipelinedRequest | null = null;
  #holding = 0;
  readonly #place: SharedPlace;
  readonly #socket: Socket;
  readonly #heads: ResponseHeads;
  readonly #chunks = new ChunkScanner();
  readonly #flush = () => this.#write();

  constructor(place: SharedPlace) {
    this.#place = place;
    this.#heads = new ResponseHeads(place.memory);
    const buffer = ReadBuffer.ofOne();
    const socket = connect({
      host: place.address,
      port: place.port,
      noDelay: true,
      allowHalfOpen: true,
      onread: {
        buffer: buffer.target,
        callback: (length) => this.#onRead(buffer, SPARE_BYTES + length),
      },
    });
    this.#socket = socket;
    socket.on('connect', () => {
      this.connected = true;
      for (const request of this.#boarded.slice()) request.receiver?.onConnected();
    });
    socket.on('end', () => this.#onEnd());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error.code ?? error.message;
    });
    socket.on('close', () => {
      this.#lose(this.connected ? 'closed' : 'connect', this.#error || 'the connection was closed');
    });
  }

  get inFlight(): number {
    return this.#boarded.length + this.#batch.length + this.#sent.length;
  }

  /** Requests that it may still be given. Only an instance that keeps connections is given several (RFC 9112 §9.3.2). */
  room(depth: number): number {
    if (this.#leaving || this.#gone) return 0;
    return (this.answered ? depth : 1) - this.inFlight;
  }

  board(kind: RequestKind): PipelinedRequest {
    const request = new PipelinedRequest(kind, this);
    this.#boarded.push(request);
    this.idleUntil = Number.POSITIVE_INFINITY;
    return request;
  }

  // ── requests ──

  send(request: PipelinedRequest): void {
    drop(this.#boarded, request);
    request.phase = 'batched';
    if (this.#batch.length === 0) setImmediate(this.#flush);
    this.#batch.push(request);
  }

  /** What came within one turn of the event loop goes out as one write. */
  #write(): void {
    if (this.#gone || this.#batch.length === 0) return;
    if (this.#sent.length === 0) this.#frontSince = this.#place.now();
    let text = '';
    for (const request of this.#batch) {
      text += request.text;
      request.text = '';
      request.phase = 'sent';
      this.#sent.push(request);
    }
    this.#batch = [];
    this.#socket.write(text, 'latin1');
  }

  leave(request: PipelinedRequest): void {
    switch (request.phase) {
      case 'boarded':
        drop(this.#boarded, request);
        break;
      case 'batched':
        drop(this.#batch, request);
        break;
      case 'whole':
        request.phase = 'gone';
        if (request.holdsBuffer) {
          this.#holding -= 1;
          this.#readOn();
        }
        return;
      case 'sent':
      case 'answering':
        // Its response still comes, and nobody else may get it.
        request.receiver = null;
        if (this.#stalled === request) this.#stalled = null;
        if (this.#sent.some(({ receiver }) => receiver !== null) || this.#batch.length > 0) this.#readOn();
        else this.destroy();
        return;
      default:
        return;
    }
    request.phase = 'gone';
    this.#endIfEmpty();
  }

  resume(request: PipelinedRequest): void {
    if (this.#stalled !== request) return;
    this.#stalled = null;
    this.#readOn();
  }

  #readOn(): void {
    if (this.#stalled === null && this.#holding === 0 && !this.#gone) this.#socket.resume();
  }

  // ── responses ──

  /** `length`: of what the buffer holds, with the spare bytes before it. */
  #onRead(buffer: ReadBuffer, length: number): boolean {
    let position = SPARE_BYTES;
    // From here on up to the position nobody needs the bytes: what came before may still be on its way to a client.
    let free = 0;
    while (position < length && !this.#gone) {
      const request = this.#sent[0];
      if (request === undefined) {
        this.#lose('malformed', 'it answered what was not asked');
        return true;
      }
      request.phase = 'answering';
      const receiver = request.receiver ?? NOBODY;
      switch (this.#phase) {
        case 'head': {
          const step = buffer.readHead(this.#heads, position, length);
          if (step === 'fault') this.#lose('malformed', this.#heads.fault);
          position = step === 'head' ? this.#heads.end : length;
          if (step === 'head') this.#onHead(request, receiver);
          break;
        }
        case 'length': {
          const end = Math.min(length, position + this.#remaining);
          this.#remaining -= end - position;
          receiver.onContent(buffer, position, end, position - free);
          position = end;
          if (this.#remaining === 0) this.#finish(request);
          break;
        }
        case 'chunked':
          position = receiver.onChunked(buffer, position, length, this.#chunks, position - free);
          if (this.#chunks.phase === 'fault') this.#lose('malformed', this.#chunks.fault);
          else if (this.#chunks.done) this.#finish(request);
          break;
        case 'close':
          receiver.onContent(buffer, position, length, position - free);
          position = length;
          break;
        default:
      }
      // Anything that was handed over may still be on its way; a head was turned into text.
      if (this.#phase !== 'head' || this.#sent[0] !== request) free = position;
    }
    return this.#afterRead();
  }

  /** False: the buffer must not be read into again yet. */
  #afterRead(): boolean {
    const front = this.#sent[0];
    if (this.#gone) return true;
    if (front?.phase === 'answering' && front.receiver?.onReadEnd() === false) this.#stalled = front;
    return this.#stalled === null && this.#holding === 0;
  }

  #onHead(request: PipelinedRequest, receiver: ResponseReceiver): void {
    const { head } = this.#heads;
    if (head === null) return;
    const { line, fields } = head;
    if (line.status === 101) {
      this.#lose('malformed', 'it changed to a protocol that was not asked for');
      return;
    }
    if (line.status < 200) {
      receiver.onInterim(line, fields);
      return;
    }
    if (fields.framing === 'chunked' && line.minor === 0) {
      this.#lose('malformed', 'HTTP/1.0 has no chunked coding');
      return;
    }
    const bodyless = request.method === 'HEAD' || line.status === 204 || line.status === 304;
    const framing = bodyless ? 'none' : fields.framing;
    this.#reusable = !fields.close && framing !== 'close' && (line.minor === 1 || fields.keepAlive);
    if (fields.keepAliveMs >= 0) this.#idleMs = Math.max(0, Math.min(MAX_IDLE_MS, fields.keepAliveMs - 1000));
    receiver.onResponse(head, framing);
    // Nothing behind it will be answered (RFC 9112 §9.6).
    if (!this.#reusable) this.#moveBehind(request, 'the instance ended the connection');
    if (framing === 'none' || (framing === 'length' && fields.contentLength === 0)) {
      this.#finish(request);
      return;
    }
    this.#phase = framing;
    this.#remaining = fields.contentLength;
    if (framing === 'chunked') this.#chunks.reset();
  }

  /** The response of the first in line is whole. */
  #finish(request: PipelinedRequest): void {
    this.#phase = 'head';
    this.#sent.shift();
    request.phase = 'whole';
    this.#frontSince = this.#place.now();
    if (this.#reusable) this.answered = true;
    const { receiver } = request;
    receiver?.onResponseEnd(true);
    // Released within the call, unless its client is behind.
    if (receiver !== null && !isGone(request)) {
      receiver.onReadEnd();
      if (!isGone(request)) {
        request.holdsBuffer = true;
        this.#holding += 1;
      }
    }
    this.#endIfEmpty();
  }

  #endIfEmpty(): void {
    if (this.inFlight > 0 || this.#gone) return;
    if (this.#leaving || !this.#reusable || !this.connected) this.destroy();
    else this.idleUntil = this.#frontSince + this.#idleMs;
  }

  #onEnd(): void {
    const request = this.#sent[0];
    if (this.#phase === 'close' && request !== undefined) this.#finish(request);
    this.destroy();
  }

  // ── the end ──

  /** Moves those behind the first where it has held them up for longer than `limitMs`. */
  check(now: number, limitMs: number): void {
    if (this.#gone || this.#leaving || now - this.#frontSince <= limitMs) return;
    const front = this.#sent[0];
    if (front === undefined) return;
    // Where a client is behind with a response that is whole, the first in line is held up as well.
    const held = this.#holding > 0 && front.phase === 'sent';
    if (!held && this.#sent.length + this.#batch.length < 2) return;
    this.#place.onTrouble();
    this.#moveBehind(held ? null : front, 'an answer before it took too long');
  }

  /** They were not begun to be answered, and nothing else will be sent: each goes another way. */
  #moveBehind(front: PipelinedRequest | null, detail: string): void {
    this.#leaving = true;
    const moved = [...this.#sent.slice(front === null ? 0 : 1), ...this.#batch];
    this.#sent = front === null ? [] : [front];
    this.#batch = [];
    for (const request of moved) {
      this.#place.onMoved(request.kind);
      request.lose({ cause: 'closed', detail, answered: false, unprocessed: true });
    }
    this.#endIfEmpty();
  }

  /** Takes nothing more, and ends when what it carries has ended. */
  close(): void {
    this.#leaving = true;
    this.#endIfEmpty();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #lose(cause: Loss['cause'], detail: string): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#leaving = true;
    this.#socket.destroy();
    this.#place.onGone(this);
    const [front, ...behind] = this.#sent;
    const unsent = [...this.#batch, ...this.#boarded];
    this.#sent = [];
    this.#batch = [];
    this.#boarded = [];
    // Where nobody waits any more it was closed on purpose.
    const hurt = [...behind, ...unsent].some(({ receiver }) => receiver !== null);
    if (hurt && this.connected) this.#place.onTrouble();
    for (const request of [...(front === undefined ? [] : [front]), ...behind, ...unsent]) {
      this.#place.onMoved(request.kind);
      const answered = request === front && request.phase === 'answering';
      if (cause === 'connect') request.lose({ cause, detail, answered: false });
      else if (unsent.includes(request)) request.lose({ cause: 'closed', detail, answered: false, unprocessed: true });
      else request.lose({ cause: answered ? cause : 'closed', detail, answered });
    }
  }
}

// A function, because the phase changes behind the compiler's back.
function isGone(request: PipelinedRequest): boolean {
  return request.phase === 'gone';
}

function drop(list: PipelinedRequest[], request: PipelinedRequest): void {
  const index = list.indexOf(request);
  if (index !== -1) list.splice(index, 1);
}
