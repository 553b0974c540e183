import type { ChunkScanner } from '../http1/chunked.ts';
import { type ResponseFields, type ResponseHead, type StatusLine, withoutCors } from '../http1/response-head.ts';
import type { RequestRecord } from '../observe/request-record.ts';
import type { Carrier } from '../upstream/carrier.ts';
import type { ReadBytes } from '../upstream/read-buffer.ts';
import type { Loss, ResponseReceiver } from '../upstream/response-receiver.ts';
import { askTime, type GatewayCore } from './core.ts';
import type { Destination, Instance } from './destination.ts';
import type { ExchangeClient } from './exchange-client.ts';
import type { RequestHead } from './request-head.ts';
import type { RequestOutlet } from './request-outlet.ts';
import type { ResponseSink } from './response-sink.ts';
import { acceptsSwitch } from './upgrade.ts';
import { judge, recover } from './verdict.ts';

/** The request that an attempt is made for. */
export interface AttemptedRequest {
  readonly head: RequestHead;
  readonly connection: ExchangeClient;
  readonly outlet: RequestOutlet;
  readonly destination: Destination;
  /** Monotonic ms. */
  readonly startedAt: number;
  /** No instance had room when it came. */
  readonly waited: boolean;
  readonly requestDone: boolean;
  /** What the service's policy adds to the response, each with CR LF. */
  readonly responseFields: string;
  /** What the instance says of cross-origin requests is left out. */
  readonly decidesCors: boolean;
  closeAfter: boolean;
  /** Of the response; 0 before its head. */
  status: number;
  /** The response is whole and was handed over. */
  onAnswered(now: number): void;
  /** The response will not become whole. */
  onLost(loss: Loss, reused: boolean): void;
}

/**
 * A request at one instance, from the choice of the instance to the end of its response or its loss.
 *
 *   begin ──connected──► sent ──response head──► answering ──whole──► flushed: ended
 *     │                    │                         │
 *     └────────────────────┴──────── lost ───────────┴──► the exchange decides
 */
export class Attempt implements ResponseReceiver {
  readonly instance: Instance;
  /** Monotonic ms of the instance's choice. */
  readonly assignedAt: number;
  /** Monotonic ms, whole, of the last piece from the instance, or of the sending; exact to a tenth of a second. */
  progressAt = 0;
  readonly #core: GatewayCore;
  readonly #request: AttemptedRequest;
  readonly #writer: ResponseSink;
  readonly #record: RequestRecord | null;
  #upstream: Carrier | null = null;
  /** Whole ms until the connection had come about. */
  #connectMs = 0;
  /** The time was asked for in this read, which brought the response's head: most end within it, and asking is dear. */
  #asked = false;

  constructor(core: GatewayCore, request: AttemptedRequest, instance: Instance, now: number) {
    this.#core = core;
    this.#request = request;
    this.#writer = request.connection.writer;
    this.#record = request.head.record;
    this.instance = instance;
    this.assignedAt = now;
  }

  get method(): string {
    return this.#request.head.line.method;
  }

  /** The connection has not come about yet. */
  get connecting(): boolean {
    return this.#upstream !== null && !this.#upstream.connected;
  }

  begin(): void {
    const { instance, assignedAt } = this;
    instance.inFlight += 1;
    if (!instance.warm) this.#warm(instance);
    instance.breaker.onSent();
    if (instance.meter !== null) this.#core.meter.begin(instance.meter, assignedAt);
    const upstream = instance.upstreams.open(this.#request.head, assignedAt);
    this.#upstream = upstream;
    this.#record?.assigned(instance, assignedAt, upstream.connected);
    upstream.take(this);
    if (upstream.connected) this.#send(upstream);
  }

  #warm(instance: Instance): void {
    instance.warm = true;
    this.#core.warm.add(instance);
  }

  // ── the request's way ──

  onConnected(): void {
    const { instance } = this;
    if (instance.breaker.refused) recover(this.#core, this.#request.destination, instance);
    const now = askTime(this.#core);
    this.#record?.connected(now);
    this.#connectMs = Math.floor(now - this.assignedAt);
    if (this.#upstream !== null) this.#send(this.#upstream);
  }

  #send(upstream: Carrier): void {
    const { outlet, connection } = this.#request;
    this.progressAt = this.#core.now;
    this.#countIn(outlet.bytes);
    if (outlet.send(upstream)) connection.resumeBody();
  }

  /** More of the request's body, after it was sent. False: no more for now. */
  stream(chunk: Buffer): boolean {
    if (this.#upstream === null) return true;
    this.#countIn(chunk.length);
    return this.#request.outlet.stream(this.#upstream, chunk);
  }

  onUpstreamDrain(): void {
    this.#request.connection.resumeBody();
  }

  // ── the response's way ──

  onInterim(line: StatusLine, fields: ResponseFields): void {
    if (this.#request.head.line.minor === 0) return;
    this.#writer.interim(line, fields);
  }

  onSwitch(line: StatusLine, fields: ResponseFields): boolean {
    const request = this.#request;
    if (!request.requestDone || !acceptsSwitch(request.head.fields, fields)) return false;
    request.status = 101;
    this.#writer.switched(line, fields);
    request.connection.openTunnel();
    return true;
  }

  onResponse(response: ResponseHead, framing: ResponseFields['framing']): void {
    const request = this.#request;
    const { head, destination } = request;
    const { line, fields } = response;
    const now = askTime(this.#core);
    this.#asked = true;
    request.status = line.status;
    this.progressAt = this.#core.now;
    request.outlet.forget();
    this.#record?.answered(now, line.status);
    this.#noteFirstAnswer(now);
    judge(this.#core, destination, this.instance, {
      status: line.status,
      tookMs: now - this.assignedAt - this.#connectMs,
      now,
    });
    const old = head.line.minor === 0;
    // An answer that does not await its request's end ends the connection: what of the request follows is not worth reading.
    if (this.#core.draining || !request.requestDone || (framing === 'close' && old)) request.closeAfter = true;
    const cost = head.fields.asksCost && destination.showsCost ? this.#costField('head') : '';
    this.#writer.head(request.decidesCors && fields.hasCors ? withoutCors(response) : response, {
      framing,
      old,
      bodyless: framing === 'none' && head.line.method !== 'HEAD' && line.status !== 304,
      identified: fields.hasRequestId ? null : head,
      added: head.affinityField + request.responseFields + cost + (fields.hasDate ? '' : this.#core.date.field()),
      atEnd: cost === '' ? null : { names: 'Skyrun-Cost', fields: () => this.#costField('end') },
      close: request.closeAfter,
    });
  }

  #noteFirstAnswer(now: number): void {
    const { instance } = this;
    if (instance.answered) return;
    instance.answered = true;
    const { waited, destination, startedAt } = this.#request;
    if (waited) destination.traffic.coldStart(instance.id, now - startedAt);
  }

  #costField(until: 'head' | 'end'): string {
    return this.#core.costField(this.#request.destination, this.#core.clock.monotonic() - this.assignedAt, until);
  }

  onContent(bytes: ReadBytes, start: number, end: number, spare?: number): void {
    this.progressAt = this.#core.now;
    this.#countOut(end - start);
    this.#writer.content(bytes, start, end, spare);
  }

  onChunked(bytes: ReadBytes, start: number, end: number, chunks: ChunkScanner, spare?: number): number {
    const stop = this.#writer.chunked(bytes, start, end, chunks, spare);
    this.progressAt = this.#core.now;
    this.#countOut(stop - start);
    return stop;
  }

  onTrailer(lines: string): void {
    this.#writer.trailer(lines);
  }

  onReadEnd(): boolean {
    this.#asked = false;
    return this.#writer.settle();
  }

  onResponseEnd(reusable: boolean): void {
    if (this.#writer.end(reusable)) this.#complete(reusable);
  }

  /** The client has taken what was written. */
  onFlushed(): void {
    const ending = this.#writer.ending;
    if (ending !== null) this.#complete(ending);
    else this.#upstream?.resume();
  }

  #complete(reusable: boolean): void {
    if (reusable && this.#request.requestDone) this.#upstream?.release(this.#core.now);
    else this.#upstream?.destroy();
    this.#upstream = null;
    this.#request.onAnswered(this.#asked ? this.#core.exact : this.#core.clock.monotonic());
  }

  // ── tunnel ──

  onTunnelData(bytes: ReadBytes, start: number, end: number): void {
    this.#countOut(end - start);
    this.#writer.content(bytes, start, end);
  }

  onTunnelEnd(): void {
    this.#request.connection.endTunnelOutput();
  }

  /** Client bytes of a tunnel. False: read no more for now. */
  onTunnelInput(chunk: Buffer): boolean {
    this.#countIn(chunk.length);
    return this.#upstream === null || this.#upstream.write(chunk);
  }

  onTunnelInputEnd(): void {
    this.#upstream?.end();
  }

  // ── the end ──

  onLost(loss: Loss): void {
    const upstream = this.#upstream;
    if (upstream === null) return;
    this.#upstream = null;
    this.#request.onLost(loss, upstream.reused);
  }

  /** The connection takes too long to come about. */
  giveUpConnecting(): void {
    this.#upstream?.giveUp();
  }

  /** Nobody wants the response any more. */
  abandon(): void {
    this.instance.breaker.onAbandoned();
    this.#upstream?.destroy();
    this.#upstream = null;
  }

  /** Gives the instance's room back; with status 0 the request goes on elsewhere and is not counted. */
  release(now: number, status: number): void {
    const { instance } = this;
    const { destination } = this.#request;
    if (instance.meter !== null) this.#core.meter.end(instance.meter, now, status);
    destination.release(instance);
    this.#core.drainRoom(destination, now);
  }

  #countIn(bytes: number): void {
    const { meter } = this.instance;
    if (meter !== null) meter.bytesIn += bytes;
    if (this.#record !== null) this.#record.bytesIn += bytes;
  }

  #countOut(bytes: number): void {
    const { meter } = this.instance;
    if (meter !== null) meter.bytesOut += bytes;
    if (this.#record !== null) this.#record.bytesOut += bytes;
  }
}
