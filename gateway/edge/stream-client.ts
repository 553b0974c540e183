import { constants, type ServerHttp2Stream } from 'node:http2';
import { PROBLEMS, type ProblemCode } from '@skyrun/contracts';
import { HeadMemory } from '../http1/head-memory.ts';
import { RequestReader } from '../http1/request-reader.ts';
import { headerPairs, requestText, trailerText } from '../http2/header-text.ts';
import { type OwnAnswer, problemAnswer } from '../pipeline/answer.ts';
import { askTime, type Decision, type GatewayCore } from '../pipeline/core.ts';
import { Exchange } from '../pipeline/exchange.ts';
import type { CarriedExchange, ExchangeClient } from '../pipeline/exchange-client.ts';
import { ForwardingFields, identify } from '../pipeline/request-head.ts';
import type { RequestOrigin } from '../pipeline/request-origin.ts';
import { StreamSink } from './stream-sink.ts';

const { HTTP2_HEADER_STATUS, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } = constants;
const CRLF = Buffer.from('\r\n');

/**
 * One request of an HTTP/2 session on its way through the same pipeline as any other.
 *
 *   headers ──strict reader──► decided ──► exchange ──► ended
 *      │ malformed                │ own answer            ▲
 *      ▼                          ▼                       │ the client resets the stream
 *     400 ──────────────────────► ended ◄─────────────────┘
 */
export class StreamClient implements ExchangeClient {
  readonly writer: StreamSink;
  readonly tunnelling = false;
  #core: GatewayCore;
  #stream: ServerHttp2Stream;
  #exchange: Exchange | null = null;
  #chunked = false;
  /** Name, value, name, value, … */
  #trailers: readonly string[] = [];
  #bodyBytes = 0;
  /** Monotonic ms of the last piece of the request's body, or of the last that the client took. */
  #activeAt: number;

  constructor(
    core: GatewayCore,
    options: {
      stream: ServerHttp2Stream;
      rawHeaders: readonly string[];
      endStream: boolean;
      address: string;
      protocol: 'http' | 'https';
    },
  ) {
    const { stream, address, protocol } = options;
    this.#core = core;
    this.#stream = stream;
    this.#activeAt = core.now;
    this.writer = new StreamSink(stream);
    stream.on('error', () => {
      core.stats.clientErrors += 1;
    });
    stream.on('close', () => this.#onClose());
    const request = requestText(options.rawHeaders, options.endStream);
    if (typeof request === 'string') this.#refuse(request);
    else {
      this.#chunked = request.chunked;
      this.#begin(request.text, { address, protocol, version: '2.0' });
    }
  }

  get ended(): boolean {
    return this.#exchange === null;
  }

  #begin(text: string, origin: RequestOrigin): void {
    const core = this.#core;
    const forwarding = new ForwardingFields(origin);
    const reader = new RequestReader((fields) => forwarding.of(fields), new HeadMemory());
    const step = reader.readHead(Buffer.from(text, 'latin1'), 0);
    const { request } = reader;
    if (step !== 'head' || request === null) {
      this.#refuse(reader.fault || 'the request head is too long');
      return;
    }
    const now = askTime(core);
    const { observer } = core;
    const { line, fields } = request;
    const head = identify(line, fields, core.random, observer?.flags());
    observer?.begin(head, origin, now);
    const decision: Decision =
      fields.expect === 'unknown'
        ? { kind: 'answer', answer: problemAnswer('request.expectation_failed') }
        : core.decide(head, origin.address);
    if (decision.kind === 'answer') {
      core.stats.onEnd(decision.answer.status);
      head.record?.end(core.clock.monotonic(), decision.answer.status, null);
      this.#answer(decision.answer, { requestId: head.requestId, bodyless: line.method === 'HEAD' });
      return;
    }
    const exchange = new Exchange({
      core,
      connection: this,
      head,
      destination: decision.destination,
      admission: decision.admission,
      headBegin: request.upstreamBegin(decision.admission?.hidesToken === true),
      body: '',
      now,
    });
    this.#exchange = exchange;
    exchange.requestDone = reader.bodyDone;
    if (!reader.bodyDone) {
      this.#stream.on('data', (chunk: Buffer) => this.#onData(chunk));
      this.#stream.on('trailers', (_trailers, _flags, raw: string[]) => {
        this.#trailers = raw;
      });
      this.#stream.on('end', () => this.#onEnd());
    } else this.#stream.resume();
    this.#stream.on('drain', () => {
      this.#activeAt = core.now;
      this.writer.onDrain();
      this.#exchange?.onFlushed();
    });
    exchange.begin(now);
  }

  #onData(chunk: Buffer): void {
    this.#activeAt = this.#core.now;
    const exchange = this.#exchange;
    if (exchange === null || chunk.length === 0) return;
    this.#bodyBytes += chunk.length;
    if (this.#chunked && exchange.refusesBody(this.#bodyBytes)) return;
    const framed = this.#chunked
      ? Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`, 'latin1'), chunk, CRLF])
      : chunk;
    if (!exchange.onBody(framed)) this.#stream.pause();
  }

  #onEnd(): void {
    const exchange = this.#exchange;
    // Node ends the body of a stream that was reset, too: it must not reach the instance as a whole one.
    if (exchange === null || this.#stream.closed) return;
    const trailer = trailerText(this.#trailers);
    if (typeof trailer === 'string') {
      this.#stream.close(NGHTTP2_PROTOCOL_ERROR);
      return;
    }
    exchange.requestDone = true;
    if (this.#chunked) exchange.onBody(Buffer.from(`0\r\n${trailer.lines}\r\n`, 'latin1'));
  }

  #refuse(detail: string): void {
    this.#core.stats.refused += 1;
    this.#core.stats.onEnd(400);
    this.#answer(problemAnswer('request.invalid', { detail }), { requestId: '', bodyless: false });
  }

  #answer(answer: OwnAnswer, options: { requestId: string; bodyless: boolean }): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.headersSent) return;
    const headers = [HTTP2_HEADER_STATUS, String(answer.status)];
    if (answer.status !== 304) headers.push('content-length', String(answer.body.length));
    if (options.requestId !== '') headers.push('x-request-id', options.requestId);
    headerPairs(answer.fields, headers);
    const bodyless = options.bodyless || answer.body.length === 0;
    stream.respond(headers, { endStream: bodyless });
    if (!bodyless) stream.end(answer.body);
    this.#stopReading();
  }

  /** The response is out; a body that still comes is of no use (RFC 9113 §8.1: NO_ERROR asks the client to stop). */
  #stopReading(): void {
    if (this.#stream.readableEnded || this.#stream.destroyed) return;
    this.#stream.removeAllListeners('data');
    this.#stream.resume();
    if (this.#stream.writableFinished) this.#stream.close(NGHTTP2_NO_ERROR);
    else this.#stream.once('finish', () => this.#stream.close(NGHTTP2_NO_ERROR));
  }

  resumeBody(): void {
    this.#stream.resume();
  }

  openTunnel(): void {
    this.#stream.close(NGHTTP2_INTERNAL_ERROR);
  }

  answerProblem(
    exchange: CarriedExchange,
    code: ProblemCode,
    options: { detail?: string; retryAfterSeconds?: number },
  ): number {
    const { fields, requestId } = exchange.head;
    const problem = problemAnswer(code, { ...options, html: fields.acceptsHtml, requestId });
    const answer = { ...problem, fields: problem.fields + exchange.responseFields };
    this.#answer(answer, { requestId, bodyless: exchange.method === 'HEAD' });
    return PROBLEMS[code].status;
  }

  exchangeEnded(exchange: CarriedExchange): void {
    if (this.#exchange !== exchange) return;
    this.#exchange = null;
    if (!exchange.requestDone) this.#stopReading();
  }

  endTunnelOutput(): void {
    this.#stream.end();
  }

  endOutput(): void {
    this.#stream.end();
  }

  cutOff(): void {
    this.#exchange = null;
    this.#stream.close(NGHTTP2_INTERNAL_ERROR);
  }

  #onClose(): void {
    this.#exchange?.abort(499);
    this.#exchange = null;
  }

  /** Bounds that only time can break; called several times a second. */
  check(now: number, stallMs: number): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    exchange.check(now);
    const stalled = now - this.#activeAt > stallMs;
    const waitsForBody = !exchange.requestDone && !this.#stream.isPaused();
    if (stalled && (waitsForBody || !this.writer.settle())) this.#stream.close(NGHTTP2_INTERNAL_ERROR);
  }
}
