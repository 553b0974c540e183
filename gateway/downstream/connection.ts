import type { Socket } from 'node:net';
import { PROBLEMS, type ProblemCode } from '@skyrun/contracts';
import type { RequestReader, RequestsBefore } from '../http1/request-reader.ts';
import { type OwnAnswer, problemAnswer } from '../pipeline/answer.ts';
import { askTime, type Decision, type GatewayCore, type OpenConnection } from '../pipeline/core.ts';
import { Exchange } from '../pipeline/exchange.ts';
import type { CarriedExchange, ExchangeClient } from '../pipeline/exchange-client.ts';
import { identify, type RequestHead } from '../pipeline/request-head.ts';
import type { RequestOrigin } from '../pipeline/request-origin.ts';
import { readDirectly, type SocketOwner } from './direct-input.ts';
import { ClientInput } from './input.ts';
import { isEncrypted } from './is-encrypted.ts';
import { type ClientQuiet, type ClientState, LINGER_BYTES, lostPatience } from './patience.ts';
import { peerAddress } from './peer-address.ts';
import type { Place } from './reader-pool.ts';
import { ResponseWriter, type WriterOwner } from './response-writer.ts';
import { StallWatch } from './stall-watch.ts';
import { writeAnswer } from './write-answer.ts';

/** With its head below what Node writes without a copy on the heap, 16 KiB. */
const JOINED_BODY_BYTES = 12_288;
/** A client that ends its side while it waits for an answer is gone, unless the answer is this near. */
const HALF_CLOSED_MS = 20;

/** First byte of a TLS record that holds a handshake (RFC 8446 §5.1); no HTTP method begins so. */
const TLS_HANDSHAKE = 0x16;

/**
 * One client connection: reads requests, one after the other, and hands each to an exchange.
 *
 *   head ──whole head──► body ──whole body──► busy ──response whole──► head
 *    │ ▲                  │ malformed          │ 101                    (what came ahead is read then)
 *    │ └──own answer      │                    ▼
 *    │ malformed          │                  tunnel ──both ended──► closed
 *    ▼                    ▼
 *   linger: the answer is out, our side is ended, what still comes is thrown away ──► closed
 */
export class ClientConnection
  implements OpenConnection, ExchangeClient, ClientQuiet, SocketOwner, WriterOwner, RequestsBefore
{
  readonly socket: Socket;
  readonly writer: ResponseWriter;
  readonly #core: GatewayCore;
  readonly address: string;
  requests = 0;
  counted = 0;
  state: ClientState = 'head';
  #exchange: Exchange | null = null;
  /** Null before anything came ahead of its turn. */
  #input: ClientInput | null = null;
  /** Null while nothing waits to be taken by the client. */
  #stall: StallWatch | null = null;
  #driving = false;
  #inputEnded = false;
  activeAt: number;
  headSince = 0;
  #lingered = 0;
  /** Nothing was read yet. */
  #fresh = true;
  /** Where the client is; null before the first request, and again while the connection rests. */
  #place: Place | null = null;
  /** While part of a request was read. */
  #reader: RequestReader | null = null;
  known: RequestsBefore['known'] = null;
  last: RequestsBefore['last'] = null;

  constructor(core: GatewayCore, socket: Socket) {
    this.#core = core;
    this.socket = socket;
    this.address = peerAddress(socket);
    this.activeAt = core.now;
    this.writer = new ResponseWriter(socket, this);
    core.connections.add(this);
    core.stats.connections += 1;
    readDirectly(socket, this);
  }

  get tunnelling(): boolean {
    return this.state === 'tunnel';
  }

  get idle(): boolean {
    return this.#exchange === null;
  }

  get headBegun(): boolean {
    return this.#reader?.pending === true;
  }

  get paused(): boolean {
    return this.socket.isPaused();
  }

  get flushed(): boolean {
    return this.socket.writableLength === 0;
  }

  onData(chunk: Buffer): void {
    this.activeAt = this.#core.now;
    if (this.#fresh) {
      this.#fresh = false;
      if (chunk[0] === TLS_HANDSHAKE && this.#handOver(chunk)) return;
    }
    switch (this.state) {
      case 'head':
        this.#drive(chunk);
        return;
      case 'body': {
        if (this.#ahead().delays(chunk)) return;
        const end = this.#readBody(chunk);
        if (end < chunk.length && !this.#inLinger()) this.#ahead().add(chunk.subarray(end));
        return;
      }
      case 'busy':
        this.#ahead().add(chunk);
        return;
      case 'tunnel':
        if (this.#exchange?.onTunnelInput(chunk) === false) this.socket.pause();
        return;
      case 'linger':
        this.#lingered += chunk.length;
        if (this.#lingered > LINGER_BYTES) this.socket.destroy();
        return;
      default:
    }
  }

  /** The client speaks TLS: whoever does may have the same port. */
  #handOver(chunk: Buffer): boolean {
    const { onEncrypted } = this.#core;
    if (onEncrypted === null || isEncrypted(this.socket)) return false;
    this.#ahead().giveUp(chunk);
    this.socket.setNoDelay(true);
    this.state = 'linger';
    this.#core.connections.delete(this);
    onEncrypted(this.socket);
    return true;
  }

  #ahead(): ClientInput {
    this.#input ??= new ClientInput(this.socket, this.#core.smallPieces, this);
    return this.#input;
  }

  #enter(): Place {
    this.#place = this.#core.readers.enter(this.address, isEncrypted(this.socket) ? 'https' : 'http');
    return this.#place;
  }

  /** Reads requests out of a chunk for as long as each is answered at once. */
  #drive(first: Buffer): void {
    let chunk = first;
    let offset = 0;
    const place = this.#place ?? this.#enter();
    const begun = this.#reader;
    const reader = begun ?? place.take(this);
    this.#driving = true;
    while (this.state === 'head') {
      if (offset === chunk.length) {
        const next = this.#input?.next() ?? null;
        if (next === null) break;
        chunk = next;
        offset = 0;
      }
      const waiting = !reader.pending;
      const step = reader.readHead(chunk, offset);
      if (step === 'more') {
        if (waiting) this.headSince = this.#core.now;
        offset = chunk.length;
      } else if (step === 'fault') {
        this.#refuse(reader.fault);
        offset = chunk.length;
      } else offset = this.#onHead(chunk, reader, place.origin);
    }
    this.#driving = false;
    if (this.#inBody() || reader.pending) this.#reader = reader;
    else {
      if (begun !== null) this.#reader = null;
      reader.leave(this);
      place.put(reader);
    }
    if (offset < chunk.length && !this.#inLinger()) {
      this.#ahead().putBack(chunk.subarray(offset));
    }
  }

  // Methods, because the state changes behind the compiler's back.
  #inLinger(): boolean {
    return this.state === 'linger';
  }

  #inBody(): boolean {
    return this.state === 'body';
  }

  /** A head is whole: starts its exchange. Returns the position after what it took from the chunk. */
  #onHead(chunk: Buffer, reader: RequestReader, origin: RequestOrigin): number {
    const { request, bodyStart } = reader;
    if (request === null) return chunk.length;
    const { line, fields } = request;
    const stop = reader.readBody(chunk, bodyStart);
    if (stop === -1) return this.#refuse(reader.fault, chunk);
    const core = this.#core;
    const now = askTime(core);
    this.requests += 1;
    const { observer } = core;
    const head = identify(line, fields, core.random, observer?.flags());
    observer?.begin(head, origin, now);
    const whole = reader.bodyDone;
    this.state = whole ? 'busy' : 'body';

    const decision: Decision =
      fields.expect === 'unknown'
        ? { kind: 'answer', answer: problemAnswer('request.expectation_failed') }
        : // All connections from there share this text: whoever compares it with the last one's need not look at its characters.
          core.decide(head, origin.address);
    if (decision.kind === 'answer') {
      this.#answerAtOnce(decision.answer, head, whole);
      return stop;
    }
    // A small body that came with the head goes out in the same write.
    const small = stop - bodyStart <= JOINED_BODY_BYTES;
    this.writer.reset();
    const exchange = new Exchange({
      core,
      connection: this,
      head,
      destination: decision.destination,
      admission: decision.admission,
      headBegin: request.upstreamBegin(decision.admission?.hidesToken === true),
      body: small && stop > bodyStart ? chunk.toString('latin1', bodyStart, stop) : '',
      now,
    });
    this.#exchange = exchange;
    exchange.requestDone = whole;
    if (!small) exchange.onBody(chunk.subarray(bodyStart, stop));
    if (this.#inputEnded) this.#leaveSoon(exchange);
    exchange.begin(now);
    if (fields.framing === 'chunked') exchange.refusesBody(reader.chunkedBytes);
    return stop;
  }

  /** Passes body bytes on; returns the position after the last one that belongs to the body. */
  #readBody(chunk: Buffer): number {
    const exchange = this.#exchange;
    const reader = this.#reader;
    if (exchange === null || reader === null) return chunk.length;
    const end = reader.readBody(chunk, 0);
    if (end === -1) return this.#refuse(reader.fault, chunk);
    const { chunkedBytes } = reader;
    if (reader.bodyDone) {
      this.state = 'busy';
      exchange.requestDone = true;
      this.#giveReaderBack();
    }
    if (exchange.refusesBody(chunkedBytes)) return chunk.length;
    const room = exchange.onBody(end === chunk.length ? chunk : chunk.subarray(0, end));
    if (!room && this.state === 'body') this.socket.pause();
    return end;
  }

  resumeBody(): void {
    if (this.state === 'body' || this.state === 'tunnel') this.socket.resume();
  }

  openTunnel(): void {
    this.state = 'tunnel';
    for (const chunk of this.#input?.takeAll() ?? []) this.#exchange?.onTunnelInput(chunk);
    this.socket.resume();
  }

  exchangeEnded(exchange: CarriedExchange): void {
    if (this.#exchange === exchange) this.#exchange = null;
    if (this.state === 'linger') return;
    // A stop that came after the response had begun could not tell the client: one more request may be on its way.
    if (exchange.closeAfter || !exchange.requestDone) {
      this.#endAfter(exchange);
      return;
    }
    this.#nextRequest();
  }

  #nextRequest(): void {
    this.state = 'head';
    this.activeAt = this.#core.now;
    if (this.#driving) return;
    const held = this.#input?.next() ?? null;
    if (held !== null) this.#drive(held);
    if (this.#inputEnded && this.#exchange === null) this.endOutput();
  }

  /** An answer that needs no instance. */
  #answerAtOnce(answer: OwnAnswer, head: RequestHead, whole: boolean): void {
    const close = !whole || head.fields.close || head.line.minor === 0 || this.#core.draining;
    this.#write(answer, head, close);
    this.#core.stats.onEnd(answer.status);
    head.record?.end(this.#core.clock.monotonic(), answer.status, null);
    if (close) this.endOutput();
    else if (this.socket.writableNeedDrain) this.#waitUntilTaken();
    else this.#nextRequest();
  }

  /** A client that asks again and again and takes no answer is read again when it has: answers must not pile up here. */
  #waitUntilTaken(): void {
    this.state = 'busy';
    this.socket.once('drain', () => {
      if (this.state === 'busy' && this.#exchange === null) this.#nextRequest();
    });
  }

  answerProblem(
    exchange: CarriedExchange,
    code: ProblemCode,
    options: { detail?: string; retryAfterSeconds?: number },
  ): number {
    const { head } = exchange;
    if (!exchange.requestDone || this.#core.draining) exchange.closeAfter = true;
    const problem = problemAnswer(code, { ...options, html: head.fields.acceptsHtml, requestId: head.requestId });
    const answer = { ...problem, fields: problem.fields + exchange.responseFields };
    this.#write(answer, head, exchange.closeAfter);
    return answer.status;
  }

  /** The bytes are not a request: 400 and the end, because where the next one would begin is unknown. */
  #refuse(detail: string, chunk?: Buffer, code: ProblemCode = 'request.invalid'): number {
    const exchange = this.#exchange;
    this.#core.stats.refused += 1;
    const begun = exchange?.started === true;
    exchange?.abort(PROBLEMS[code].status);
    this.#exchange = null;
    if (begun) this.cutOff();
    else {
      this.#write(problemAnswer(code, { detail }), null, true);
      this.#core.stats.onEnd(PROBLEMS[code].status);
      this.endOutput();
    }
    return chunk?.length ?? 0;
  }

  /** `head`: null where the request could not be read. */
  #write(answer: OwnAnswer, head: RequestHead | null, close: boolean): void {
    this.writer.beforeWrite();
    writeAnswer(this.socket, answer, {
      date: this.#core.date.field(),
      requestId: head?.requestId ?? '',
      close,
      method: head?.line.method ?? '',
    });
  }

  endTunnelOutput(): void {
    this.socket.end();
  }

  /** Ends our side after what was written; the peer's side is read to its end, within bounds. */
  endOutput(): void {
    this.state = 'linger';
    this.activeAt = this.#core.now;
    this.#input?.clear();
    this.socket.end();
    this.socket.resume();
  }

  /**
   * A client that said that this request is its last sends nothing more that would have to be read, so where its answer is
   * with the kernel the connection is closed at once; that saves a connection per request a fifth of its cost.
   */
  #endAfter(exchange: CarriedExchange): void {
    const { fields, line } = exchange.head;
    const last = (fields.close || line.minor === 0) && exchange.requestDone && this.#input?.empty !== false;
    if (!last || this.socket.writableLength > 0 || isEncrypted(this.socket)) this.endOutput();
    else {
      this.state = 'linger';
      this.socket.destroy();
    }
  }

  /** A response that cannot become whole must not look whole: the connection is reset. */
  cutOff(): void {
    this.state = 'linger';
    this.#exchange = null;
    // Under TLS there is no reset; ending without close_notify tells as much.
    if (isEncrypted(this.socket)) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  onFlushed(): void {
    this.#exchange?.onFlushed();
  }

  onEnd(): void {
    this.#inputEnded = true;
    this.#input?.passOn();
    switch (this.state) {
      case 'head':
        this.endOutput();
        return;
      case 'body':
        this.#exchange?.abort(499);
        this.#exchange = null;
        this.socket.destroy();
        return;
      case 'busy':
        if (this.#exchange !== null) this.#leaveSoon(this.#exchange);
        return;
      case 'tunnel':
        this.#exchange?.onTunnelInputEnd();
        return;
      default:
    }
  }

  #leaveSoon(exchange: Exchange): void {
    this.#core.clock.setTimeout(HALF_CLOSED_MS, () => {
      if (exchange.ended || this.state === 'tunnel') return;
      exchange.abort(499);
      this.socket.destroy();
    });
  }

  onError(): void {
    this.#core.stats.clientErrors += 1;
  }

  onClose(): void {
    this.#core.connections.delete(this);
    this.#core.clients.closed(this);
    this.#leave();
    this.#exchange?.abort(499);
    this.#exchange = null;
    this.#input?.clear();
  }

  /** Bounds that only time can break; called several times a second. */
  check(now: number): void {
    switch (lostPatience(this, this.#core, now)) {
      case 'head':
        this.#refuse('the request head did not come in time', undefined, 'request.timeout');
        break;
      case 'body':
        this.#refuse('the request body did not come in time', undefined, 'request.timeout');
        return;
      case 'end':
        this.endOutput();
        break;
      case 'rest':
        this.#rest();
        break;
      case 'cut':
        this.socket.destroy();
        break;
      default:
    }
    this.#exchange?.check(now);
    this.#checkStall(now);
  }

  #checkStall(now: number): void {
    if (this.flushed) {
      this.#stall = null;
      return;
    }
    this.#stall ??= new StallWatch(this.socket);
    if (this.#stall.stalled(now, this.#core.limits.stallMs)) this.socket.destroy();
  }

  /** What only requests need is let go, because thousands of connections may be idle; it is there again with the next. */
  #rest(): void {
    this.#leave();
    this.#input = null;
    this.known = null;
    this.last = null;
  }

  #giveReaderBack(): void {
    if (this.#reader === null) return;
    this.#reader.leave(this);
    this.#place?.put(this.#reader);
    this.#reader = null;
  }

  #leave(): void {
    this.#giveReaderBack();
    if (this.#place !== null) this.#core.readers.leave(this.#place);
    this.#place = null;
  }

  destroy(): void {
    this.socket.destroy();
  }

  /**
   * The gateway stops: a connection ends with the next response, which says so, or once it has been idle for a while. One that
   * ended at once would lose the request that is on its way.
   */
  drain(): void {
    const { now, limits } = this.#core;
    if (this.state === 'head' && !this.headBegun && now - this.activeAt >= limits.drainIdleMs) this.endOutput();
  }
}
