import type { ClientHttp2Stream } from 'node:http2';
import { ChunkScanner } from '../http1/chunked.ts';
import { RESPONSE_LIMITS } from '../http1/limits.ts';
import { responseHead } from '../http1/response-head.ts';
import { fieldLines, headerObject, trailerText } from '../http2/header-text.ts';
import type { Carrier, RequestKind } from './carrier.ts';
import type { H2cSession, Passenger } from './h2c-session.ts';
import { requestHeaders, statusLine, statusOf } from './h2c-text.ts';
import { ReadBuffer } from './read-buffer.ts';
import type { Loss, ResponseReceiver } from './response-receiver.ts';

/** Flag of the last frame of a direction (RFC 9113 §6.1). */
const FLAG_END_STREAM = 1;
/** Error codes of RFC 9113 §7; by number, so that `node:http2` is not loaded for them. */
const NO_ERROR = 0;
const PROTOCOL_ERROR = 1;
const REFUSED_STREAM = 7;
const CANCEL = 8;
const CODE_NAMES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

/**
 * One request as a stream of an HTTP/2 connection to an instance.
 *
 *   placed ──connection there──► written ──HEADERS──► answering ──END_STREAM──► whole
 *     │ connection refused          │ reset, GOAWAY, gone    │ reset, gone
 *     ▼                             ▼                        ▼
 *    lost ◄─────────────────────────┴────────────────────────┘
 *
 * The request comes as HTTP/1.1 bytes, already checked; chunks are taken out of their framing. What the instance sends
 * goes through the reader of HTTP/1.1 fields, so that both protocols are equally strict.
 */
export class H2cStream implements Carrier, Passenger {
  #session: H2cSession;
  readonly #replace: (stream: H2cStream) => H2cSession;
  readonly #now: () => number;
  #receiver: ResponseReceiver | null = null;
  #stream: ClientHttp2Stream | null = null;
  /** Of a body with a length. */
  #remaining: number;
  readonly #chunks: ChunkScanner | null;
  #requestEnded: boolean;
  #expected = -1;
  #answered = false;
  /**
   * END_STREAM has come. Node ends a stream that was reset in the same way, so its own `end` proves nothing; that the
   * stream is still open when it is told does. Of a stream that was paused Node tells only that it is closed: then a
   * response without a length whose instance resets it with NO_ERROR cannot be told from a whole one.
   */
  #whole = false;
  #paused = false;
  #sessionLost = false;

  constructor(options: {
    request: RequestKind;
    session: H2cSession;
    /** Finds another connection. */
    replace: (stream: H2cStream) => H2cSession;
    /** Monotonic ms. */
    now: () => number;
  }) {
    this.#session = options.session;
    this.#replace = options.replace;
    this.#now = options.now;
    const { framing, contentLength } = options.request.fields;
    this.#remaining = contentLength;
    this.#chunks = framing === 'chunked' ? new ChunkScanner() : null;
    this.#requestEnded = framing === 'none';
  }

  get connected(): boolean {
    return this.#session.connected;
  }

  get reused(): boolean {
    return this.#sessionLost && this.#session.answered > 0;
  }

  take(receiver: ResponseReceiver): void {
    this.#receiver = receiver;
    if (!this.#session.connected) this.#session.await(this);
  }

  board(): void {
    this.#receiver?.onConnected();
  }

  replace(): void {
    this.#session = this.#replace(this);
    if (this.#session.connected) this.board();
    else this.#session.await(this);
  }

  // ── the request's way ──

  writeText(begin: string, tail: string, small: string): boolean {
    const text = begin + tail + small;
    const { headers, bodyStart } = requestHeaders(text);
    const ends = { endStream: this.#requestEnded, trailers: !this.#requestEnded };
    const stream = this.#session.request(headers, ends);
    if (stream === null) {
      this.#sessionLost = true;
      const loss = { cause: 'closed', detail: this.#session.lostDetail, answered: false, unprocessed: true } as const;
      process.nextTick(() => this.lose(loss));
      return true;
    }
    this.#stream = stream;
    this.#listen(stream);
    return bodyStart === text.length || this.write(Buffer.from(text.slice(bodyStart), 'latin1'));
  }

  write(chunk: Buffer): boolean {
    const stream = this.#stream;
    if (stream === null || stream.destroyed || this.#requestEnded) return true;
    let room = true;
    if (this.#chunks === null) {
      this.#remaining -= chunk.length;
      room = stream.write(chunk);
      if (this.#remaining === 0) this.#endRequest(stream);
    } else {
      this.#chunks.scan(chunk, 0, chunk.length, (start, end) => {
        room = stream.write(chunk.subarray(start, end));
      });
      if (this.#chunks.done) this.#endRequest(stream);
    }
    return room;
  }

  #endRequest(stream: ClientHttp2Stream): void {
    this.#requestEnded = true;
    stream.end();
  }

  /** There are no tunnels in HTTP/2 without its extended CONNECT, which is not offered. */
  end(): void {
    this.#stream?.end();
  }

  // ── the response's way ──

  #listen(stream: ClientHttp2Stream): void {
    const push = stream.push.bind(stream);
    stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk === null && (!stream.closed || (this.#paused && stream.rstCode === NO_ERROR))) this.#whole = true;
      return push(chunk, encoding);
    };
    stream.on('headers', (_headers, _flags, raw: string[]) => this.#onInterim(raw));
    stream.on('response', (_headers, flags: number, raw: string[]) => this.#onResponse(raw, flags));
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('trailers', (_headers, _flags, raw: string[]) => this.#onTrailers(raw));
    stream.on('end', () => this.#onEnd());
    stream.on('drain', () => this.#receiver?.onUpstreamDrain());
    stream.on('wantTrailers', () => {
      // A stream that is given up is ended by Node first; only trailers would make that END_STREAM.
      if (this.#requestEnded && !stream.destroyed) stream.sendTrailers(headerObject(this.#chunks?.trailer ?? ''));
    });
    // What went wrong is told by the close that follows.
    stream.on('error', () => undefined);
    stream.on('close', () => this.#onClose(stream));
  }

  #onInterim(raw: readonly string[]): void {
    const receiver = this.#receiver;
    if (receiver === null || this.#answered) return;
    const line = statusLine(statusOf(raw));
    const fields = this.#session.fields(`${fieldLines(raw)}\r\n`);
    if (typeof line === 'string') this.#lie(line);
    else if (typeof fields === 'string') this.#lie(fields);
    else receiver.onInterim(line, fields);
  }

  #onResponse(raw: readonly string[], flags: number): void {
    const receiver = this.#receiver;
    if (receiver === null) return;
    this.#session.heard(this.#now());
    this.#answered = true;
    const status = statusOf(raw);
    const block = `${fieldLines(raw)}\r\n`;
    const ends = (flags & FLAG_END_STREAM) !== 0;
    const bodyless = receiver.method === 'HEAD' || status === 204 || status === 304;
    const line = statusLine(status);
    // A response without a body says so over HTTP/1.1 by a length.
    let fields = this.#session.fields(block);
    if (typeof fields !== 'string' && ends && !bodyless && fields.framing === 'close') {
      fields = this.#session.fields(`content-length: 0\r\n${block}`);
    }
    if (typeof line === 'string') this.#lie(line);
    else if (typeof fields === 'string') this.#lie(fields);
    else if (block.length > RESPONSE_LIMITS.headBytes) this.#lie('its head is too long');
    else if (fields.framing === 'chunked' || line.status < 200) this.#lie('it is framed as HTTP/1.1');
    else if (ends && !bodyless && fields.contentLength > 0) this.#lie('it is shorter than its Content-Length');
    else {
      const framing = bodyless ? 'none' : fields.framing;
      if (framing === 'length') this.#expected = fields.contentLength;
      receiver.onResponse(responseHead(line, fields), framing);
      if (this.#receiver !== receiver) return;
      if (ends) this.#finish();
      // What comes in the same read is written together with the head.
      else setImmediate(() => this.#settle());
    }
  }

  #onData(chunk: Buffer): void {
    const receiver = this.#receiver;
    if (receiver === null) return;
    this.#session.heard(this.#now());
    if (this.#expected !== -1) {
      this.#expected -= chunk.length;
      if (this.#expected < 0) {
        this.#lie('it is longer than its Content-Length');
        return;
      }
    }
    receiver.onContent(ReadBuffer.of(chunk), 0, chunk.length);
    this.#settle();
  }

  #settle(): void {
    if (this.#receiver?.onReadEnd() !== false) return;
    this.#paused = true;
    this.#stream?.pause();
  }

  #onTrailers(raw: readonly string[]): void {
    const trailer = trailerText(raw);
    if (typeof trailer === 'string') this.#lie(trailer);
    else this.#receiver?.onTrailer(trailer.lines);
  }

  #onEnd(): void {
    if (!this.#whole || !this.#answered) return;
    if (this.#expected > 0) this.#lie('it is shorter than its Content-Length');
    else this.#finish();
  }

  #finish(): void {
    this.#session.answered += 1;
    this.#receiver?.onResponseEnd(true);
  }

  resume(): void {
    this.#stream?.resume();
  }

  release(): void {
    const stream = this.#stream;
    this.#receiver = null;
    if (stream === null || stream.closed) return;
    stream.resume();
    // The answer is whole; an instance that does not take the rest of the request must not hold a place for it.
    if (!this.#requestEnded || stream.writableLength > 0) stream.close(CANCEL);
  }

  giveUp(): void {
    this.#session.destroy();
  }

  destroy(): void {
    this.#receiver = null;
    this.#session.leave(this);
    this.#stream?.close(CANCEL);
  }

  // ── when it goes wrong ──

  #lie(detail: string): void {
    this.#stream?.close(PROTOCOL_ERROR);
    this.lose({ cause: 'malformed', detail, answered: true });
  }

  lose(loss: Loss): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.onLost(loss);
  }

  #onClose(stream: ClientHttp2Stream): void {
    this.#session.closed(this.#now());
    if (this.#receiver === null) return;
    this.#sessionLost = this.#session.gone;
    this.lose(closeLoss(stream.rstCode, this.#answered, this.#sessionLost ? this.#session.lostDetail : null));
  }
}

/** What the end of a stream without a whole response means for its request (RFC 9113 §7 and §8.7). */
export function closeLoss(code: number, answered: boolean, sessionDetail: string | null): Loss {
  if (code === REFUSED_STREAM) {
    return { cause: 'closed', detail: 'it refused the stream', answered, unprocessed: true };
  }
  if (code === PROTOCOL_ERROR) return { cause: 'malformed', detail: 'its answer is not valid HTTP/2', answered };
  const detail = sessionDetail ?? `it ended the stream with ${CODE_NAMES[code] ?? code}`;
  return { cause: 'closed', detail, answered };
}
