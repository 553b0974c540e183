import type { ProblemCode } from '@skyrun/contracts';
import type { ChunkScanner } from '../http1/chunked.ts';
import type { ResponseFields, StatusLine } from '../http1/response-head.ts';
import type { Carrier } from '../upstream/carrier.ts';
import type { Loss, ResponseReceiver } from '../upstream/connection.ts';
import type { Admission, RequestBounds } from './admission.ts';
import type { GatewayCore } from './core.ts';
import type { Destination, Instance, WaitingRequest } from './destination.ts';
import type { CarriedExchange, ExchangeClient } from './exchange-client.ts';
import { isIdempotent, type RequestHead } from './request-head.ts';
import { RequestOutlet } from './request-outlet.ts';
import type { ResponseSink } from './response-sink.ts';
import { acceptsSwitch } from './upgrade.ts';

/** How often one request is tried again: on another instance, or on a fresh connection. */
const MAX_CONNECT_ATTEMPTS = 5;
const MAX_REPEATS = 2;

/**
 * One request on its way and its response.
 *
 *   begin ──► (waiting) ──► assigned ──connected──► sent ──response head──► answering ──whole──► ended
 *               │   ▲           │ could not connect    │ lost, safe to repeat      │
 *               │   └───────────┴──────────────────────┘                           │ lost, timed out
 *               ▼ full, expired, no route                                          ▼
 *            own answer ──► ended                                       client is cut off: ended
 *
 * The client leaving ends it from every state.
 */
export class Exchange implements ResponseReceiver, WaitingRequest, CarriedExchange {
  readonly head: RequestHead;
  readonly connection: ExchangeClient;
  readonly startedAt: number;
  waitUntil = Number.POSITIVE_INFINITY;
  /** The client's whole request was read and is well-formed. */
  requestDone = false;
  /** The client connection ends after this response. */
  closeAfter: boolean;
  ended = false;
  status = 0;
  #core: GatewayCore;
  readonly #admission: Admission | null;
  #destination: Destination;
  #instance: Instance | null = null;
  #upstream: Carrier | null = null;
  readonly #outlet: RequestOutlet;
  #connectAttempts = 0;
  #repeats = 0;
  /** No instance had room when it came. */
  #waited = false;
  #deadline = Number.POSITIVE_INFINITY;
  #assignedAt = 0;
  /** Monotonic ms; kept where the service's breaker looks at latency. */
  #sentAt = 0;
  /** Monotonic ms of the last piece from the instance, or of the sending; kept where the service bounds it. */
  #progressAt = 0;
  readonly #writer: ResponseSink;

  constructor(options: {
    core: GatewayCore;
    connection: ExchangeClient;
    head: RequestHead;
    destination: Destination;
    /** Null where the service asks nothing of its requests. */
    admission: Admission | null;
    /** The edited head and, where it is small and here already, the body. */
    firstWrite: string;
    now: number;
  }) {
    this.#core = options.core;
    this.connection = options.connection;
    this.head = options.head;
    this.startedAt = options.now;
    this.#destination = options.destination;
    this.#admission = options.admission;
    this.#outlet = new RequestOutlet(options.firstWrite);
    this.closeAfter = options.head.fields.close || options.head.line.minor === 0;
    this.#writer = options.connection.writer;
    if (options.destination.timeoutMs > 0) this.#deadline = options.now + options.destination.timeoutMs;
  }

  /** What the service's policy adds to the response, each with CR LF. */
  get responseFields(): string {
    return this.#admission?.responseFields ?? '';
  }

  get method(): string {
    return this.head.line.method;
  }

  begin(now: number): void {
    this.#arrive(now);
  }

  /** The request waited, and this instance has room. */
  assign(instance: Instance, now: number): void {
    this.#instance = instance;
    this.#assignedAt = now;
    instance.inFlight += 1;
    instance.breaker.onSent();
    if (instance.meter !== null) this.#core.meter.begin(instance.meter, now);
    const upstream = instance.upstreams.open(this.head, now);
    this.#upstream = upstream;
    upstream.take(this);
    if (upstream.connected) this.#send();
  }

  /** The service has no such revision any more: look where its requests go now. */
  moveTo(destination: Destination, now: number): void {
    this.#destination.traffic.move(now);
    this.#destination = destination;
    this.#arrive(now);
  }

  /** The waiting took too long. */
  expire(): void {
    if (this.#destination.revision === null) this.#unavailable();
    else {
      this.fail('gateway.queue_timeout', {
        detail: 'No instance of the service became ready in time. Its logs tell why.',
        retryAfterSeconds: 5,
      });
    }
  }

  #arrive(now: number): void {
    const destination = this.#destination;
    destination.traffic.arrive(now);
    destination.earnRepeat();
    if (!destination.listed) this.#core.onTraffic(destination);
    this.#admit(now, null);
  }

  #admit(now: number, except: Instance | null): void {
    const destination = this.#destination;
    const instance = destination.room.size === 0 ? destination.pick(now, except) : null;
    if (instance !== null) {
      this.assign(instance, now);
      return;
    }
    if (destination.circuitOpen(now)) {
      this.fail('gateway.circuit_open', {
        detail: 'Too many of its answers have failed lately; it is tried again in a moment.',
        retryAfterSeconds: 1,
      });
      return;
    }
    const limit = this.#core.limits.waitMs;
    this.waitUntil = Math.min(this.#deadline, this.startedAt + limit);
    const { room } = destination;
    if (!room.enter(this)) {
      this.fail('gateway.queue_full', {
        detail: `${room.size} requests wait for this service already.`,
        retryAfterSeconds: 1,
      });
      return;
    }
    this.#waited = true;
    this.#core.onWaiting(destination);
  }

  // ── the request's way ──

  /** Checked bytes of the request's body. False: read no more from the client for now. */
  onBody(chunk: Buffer): boolean {
    if (!this.#outlet.sent || this.#upstream === null) return this.#outlet.hold(chunk);
    this.#countIn(chunk.length);
    return this.#outlet.stream(this.#upstream, chunk);
  }

  onConnected(): void {
    if (this.#instance?.breaker.refused) this.#recovered(this.#instance);
    this.#send();
  }

  /** The instance works: whoever waited for that need not wait for this response to end. */
  #recovered(instance: Instance): void {
    const open = !instance.breaker.closed;
    instance.breaker.onSuccess();
    if (open) this.#core.drainRoom(this.#destination, this.#core.clock.monotonic());
  }

  /** What a response says about its instance. */
  #judge(instance: Instance, status: number): void {
    const { breaking } = this.#destination;
    if (breaking?.failureRatio === undefined) {
      if (instance.breaker.failures > 0) this.#recovered(instance);
      return;
    }
    const now = this.#core.clock.monotonic();
    const slow = breaking.slowerThanMs !== undefined && now - this.#sentAt > breaking.slowerThanMs;
    const open = !instance.breaker.closed;
    const limits = { ratio: breaking.failureRatio, minRequests: breaking.minRequests };
    instance.breaker.observe(status >= 500 || slow, limits, now);
    if (open && instance.breaker.closed) this.#core.drainRoom(this.#destination, now);
  }

  #send(): void {
    const upstream = this.#upstream;
    if (upstream === null) return;
    this.#progressAt = this.#core.now;
    if (this.#destination.breaking !== undefined) this.#sentAt = this.#core.clock.monotonic();
    this.#countIn(this.#outlet.bytes);
    if (this.#outlet.send(upstream)) this.connection.resumeBody();
  }

  /** Ends the exchange where its body, of unknown length at first, has become larger than the service takes. */
  refusesBody(bytes: number): boolean {
    const most = this.#admission?.bounds?.maxRequestBytes ?? null;
    if (most === null || bytes <= most || this.ended) return false;
    this.#destination.room.leave(this);
    this.closeAfter = true;
    this.fail('request.too_large', { detail: `The service takes at most ${most} bytes.` });
    return true;
  }

  onUpstreamDrain(): void {
    this.connection.resumeBody();
  }

  // ── the response's way ──

  onInterim(line: StatusLine, fields: ResponseFields): void {
    if (this.head.line.minor === 0) return;
    this.#writer.interim(line, fields);
  }

  onSwitch(line: StatusLine, fields: ResponseFields): boolean {
    if (!this.requestDone || !acceptsSwitch(this.head.fields, fields)) return false;
    this.status = 101;
    this.#writer.switched(line, fields);
    this.connection.openTunnel();
    return true;
  }

  onResponse(line: StatusLine, fields: ResponseFields, framing: ResponseFields['framing']): void {
    this.status = line.status;
    this.#progressAt = this.#core.now;
    this.#outlet.forget();
    this.#noteFirstAnswer();
    if (this.#instance !== null) this.#judge(this.#instance, line.status);
    if (this.#core.draining) this.closeAfter = true;
    const old = this.head.line.minor === 0;
    if (framing === 'close' && old) this.closeAfter = true;
    this.#writer.head(line, fields, {
      framing,
      old,
      bodyless: framing === 'none' && this.method !== 'HEAD' && line.status !== 304,
      requestId: fields.hasRequestId ? '' : this.head.requestId,
      added: this.head.affinityField + this.responseFields + this.#costField(),
      close: this.closeAfter,
    });
  }

  #noteFirstAnswer(): void {
    const instance = this.#instance;
    if (instance === null || instance.answered) return;
    instance.answered = true;
    if (!this.#waited) return;
    this.#destination.traffic.coldStart(instance.id, this.#core.clock.monotonic() - this.startedAt);
  }

  #costField(): string {
    if (!this.head.fields.asksCost || !this.#destination.showsCost) return '';
    return this.#core.costField(this.#destination, this.#core.clock.monotonic() - this.#assignedAt);
  }

  onContent(buffer: Buffer, start: number, end: number): void {
    this.#progressAt = this.#core.now;
    this.#countOut(end - start);
    this.#writer.content(buffer, start, end);
  }

  onChunked(buffer: Buffer, start: number, end: number, chunks: ChunkScanner): number {
    const stop = this.#writer.chunked(buffer, start, end, chunks);
    this.#progressAt = this.#core.now;
    this.#countOut(stop - start);
    return stop;
  }

  onReadEnd(): boolean {
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
    if (reusable && this.requestDone) this.#upstream?.release(this.#core.now);
    else this.#upstream?.destroy();
    this.#upstream = null;
    this.#end(this.status);
    this.connection.exchangeEnded(this);
  }

  // ── tunnel ──

  onTunnelData(buffer: Buffer, start: number, end: number): void {
    this.#countOut(end - start);
    this.#writer.content(buffer, start, end);
  }

  onTunnelEnd(): void {
    this.connection.endTunnelOutput();
  }

  /** Client bytes of a tunnel. False: read no more for now. */
  onTunnelInput(chunk: Buffer): boolean {
    this.#countIn(chunk.length);
    return this.#upstream === null || this.#upstream.write(chunk);
  }

  onTunnelInputEnd(): void {
    this.#upstream?.end();
  }

  // ── when it goes wrong ──

  onLost(loss: Loss): void {
    const upstream = this.#upstream;
    const instance = this.#instance;
    const now = this.#core.clock.monotonic();
    this.#upstream = null;
    if (upstream === null || instance === null || this.ended) return;
    if (this.connection.tunnelling) {
      this.#end(101);
      this.connection.endOutput();
      return;
    }
    if (this.#writer.started) {
      this.#destination.blame(instance, now);
      this.#end(this.status);
      this.connection.cutOff();
      return;
    }
    if (this.#destination.revision === null && loss.cause === 'connect') {
      this.#unavailable();
      return;
    }
    if (loss.cause === 'connect') {
      // Refused connections prove that nobody is there; no byte was sent, so any request may go elsewhere.
      instance.breaker.onFailure(now, 5);
      this.#connectAttempts += 1;
      if (this.#connectAttempts < MAX_CONNECT_ATTEMPTS) {
        this.#again(now, instance);
        return;
      }
    } else if (this.#mayRepeat(loss, upstream.reused)) {
      if (!upstream.reused) this.#destination.blame(instance, now);
      this.#repeats += 1;
      this.#again(now, upstream.reused ? null : instance);
      return;
    } else this.#destination.blame(instance, now);
    if (this.#destination.revision === null) this.#unavailable();
    else this.fail('gateway.upstream_failed', { detail: `The instance of the service failed: ${loss.detail}.` });
  }

  #mayRepeat(loss: Loss, reused: boolean): boolean {
    if (this.#outlet.streamed || !this.requestDone || !isIdempotent(this.method)) return false;
    if (this.#repeats >= MAX_REPEATS || loss.cause === 'malformed' || loss.answered) return false;
    return (reused || this.head.fields.framing === 'none') && this.#destination.mayRepeat();
  }

  #again(now: number, except: Instance | null): void {
    this.#releaseInstance(now, 0);
    this.#outlet.again();
    this.#admit(now, this.#destination.instances.length > 1 ? except : null);
  }

  #unavailable(): void {
    this.fail('platform.unavailable', {
      detail: this.#destination.unavailable,
      retryAfterSeconds: 2,
    });
  }

  /** Answers with a problem, or cuts the client off where a response has begun. */
  fail(code: ProblemCode, options: { detail?: string; retryAfterSeconds?: number } = {}): void {
    if (this.ended) return;
    this.#abandonUpstream();
    if (this.#writer.started) {
      this.#end(this.status);
      this.connection.cutOff();
      return;
    }
    const status = this.connection.answerProblem(this, code, options);
    this.#end(status);
    this.connection.exchangeEnded(this);
  }

  /** The client is gone, or its request turned out malformed: nothing is answered from here. */
  abort(status: number): void {
    if (this.ended) return;
    this.#destination.room.leave(this);
    this.#abandonUpstream();
    this.#end(this.connection.tunnelling ? 101 : status);
  }

  /** Bounds that only time can break; called several times a second. */
  check(now: number): void {
    if (now >= this.#deadline) {
      this.#destination.room.leave(this);
      this.fail('gateway.upstream_timeout', {
        detail: `The service took longer than its ${this.#destination.timeoutMs} ms.`,
      });
    } else if (this.#admission?.bounds && this.#outlet.sent && !this.connection.tunnelling) {
      this.#checkBounds(this.#admission.bounds, now);
    } else if (this.#upstream?.connected === false && now - this.#assignedAt > this.#core.limits.connectMs) {
      this.#upstream.giveUp();
    }
  }

  #checkBounds({ firstByteMs, idleMs }: RequestBounds, now: number): void {
    const quiet = now - this.#progressAt;
    if (this.status === 0 && firstByteMs > 0 && quiet > firstByteMs && this.requestDone) {
      if (this.#instance !== null) this.#destination.blame(this.#instance, now);
      this.fail('gateway.upstream_timeout', {
        detail: `The service did not begin its answer within ${firstByteMs} ms.`,
      });
    } else if (this.status !== 0 && idleMs > 0 && quiet > idleMs && this.#writer.settle()) {
      this.fail('gateway.upstream_timeout', { detail: `The service sent nothing for ${idleMs} ms.` });
    }
  }

  get started(): boolean {
    return this.#writer.started;
  }

  #abandonUpstream(): void {
    this.#instance?.breaker.onAbandoned();
    this.#upstream?.destroy();
    this.#upstream = null;
  }

  #releaseInstance(now: number, status: number): void {
    const instance = this.#instance;
    if (instance === null) return;
    this.#instance = null;
    if (instance.meter !== null) this.#core.meter.end(instance.meter, now, status);
    this.#destination.release(instance);
    this.#core.drainRoom(this.#destination, now);
  }

  #end(status: number): void {
    if (this.ended) return;
    this.ended = true;
    const now = this.#core.clock.monotonic();
    this.#core.stats.onEnd(status);
    this.#destination.traffic.end(now, status, now - this.startedAt);
    if (this.#instance !== null) this.#releaseInstance(now, status);
    else if (this.#destination.unanswered !== null) {
      this.#core.meter.answered(this.#destination.unanswered, now, status);
    }
  }

  #countIn(bytes: number): void {
    const meter = this.#instance?.meter;
    if (meter) meter.bytesIn += bytes;
  }

  #countOut(bytes: number): void {
    const meter = this.#instance?.meter;
    if (meter) meter.bytesOut += bytes;
  }
}
