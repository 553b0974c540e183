import type { ProblemCode } from '@skyrun/contracts';
import { FAILURE_THRESHOLD } from '../breaker/breaker.ts';
import type { Loss } from '../upstream/response-receiver.ts';
import type { Admission } from './admission.ts';
import { afterLoss } from './after-loss.ts';
import { Attempt, type AttemptedRequest } from './attempt.ts';
import type { GatewayCore } from './core.ts';
import type { Destination, Instance, WaitingRequest } from './destination.ts';
import type { CarriedExchange, ExchangeClient } from './exchange-client.ts';
import { type Overdue, overdue } from './overdue.ts';
import type { RequestHead } from './request-head.ts';
import { RequestOutlet } from './request-outlet.ts';

/**
 * One request on its way, and what comes of it.
 *
 *   begin ──► (waiting) ──► attempt at an instance ──answered──► ended
 *               │   ▲           │ lost, and may be made again
 *               │   └───────────┘ │ otherwise
 *               ▼ full, expired   ▼
 *            own answer, or the client is cut off where a response had begun ──► ended
 *
 * The client leaving ends it from every state.
 */
export class Exchange implements AttemptedRequest, WaitingRequest, CarriedExchange {
  readonly head: RequestHead;
  readonly connection: ExchangeClient;
  readonly outlet: RequestOutlet;
  readonly startedAt: number;
  destination: Destination;
  /** Monotonic ms, whole; while it waits. */
  waitUntil = 0;
  waited = false;
  /** The client's whole request was read and is well-formed. */
  requestDone = false;
  /** The client connection ends after this response. */
  closeAfter: boolean;
  ended = false;
  status = 0;
  readonly #core: GatewayCore;
  readonly #admission: Admission | null;
  #attempt: Attempt | null = null;
  #connectAttempts = 0;
  #repeats = 0;
  /** Monotonic ms, whole; 0: none. */
  #deadline = 0;

  constructor(options: {
    core: GatewayCore;
    connection: ExchangeClient;
    head: RequestHead;
    destination: Destination;
    /** Null where the service asks nothing of its requests. */
    admission: Admission | null;
    /** The edited head up to its ids. */
    headBegin: string;
    /** The body, as latin-1, where it is small and here already; or ''. */
    body: string;
    now: number;
  }) {
    this.#core = options.core;
    this.connection = options.connection;
    this.head = options.head;
    this.startedAt = options.now;
    this.destination = options.destination;
    this.#admission = options.admission;
    this.outlet = new RequestOutlet(options.headBegin, options.head.tail, options.body);
    this.closeAfter = options.head.fields.close || options.head.line.minor === 0;
    if (options.destination.timeoutMs > 0) this.#deadline = Math.floor(options.now + options.destination.timeoutMs);
  }

  get responseFields(): string {
    return this.#admission?.responseFields ?? '';
  }

  get decidesCors(): boolean {
    return this.#admission?.decidesCors === true;
  }

  get traceparent(): string {
    return this.head.record?.waitParent ?? this.head.traceparent;
  }

  get method(): string {
    return this.head.line.method;
  }

  /** A byte of the final response was handed over. */
  get started(): boolean {
    return this.connection.writer.started;
  }

  begin(now: number): void {
    this.#arrive(now);
  }

  // ── to an instance ──

  #arrive(now: number): void {
    const { destination } = this;
    destination.traffic.arrive(now);
    destination.earnRepeat();
    if (!destination.listed) this.#core.onTraffic(destination);
    this.#admit(now, null);
  }

  /** `except` is not asked; with `rather`, only where no other can be. */
  #admit(now: number, except: Instance | null, rather = false): void {
    const { destination } = this;
    const free = destination.room.size === 0;
    const instance = free ? (destination.pick(now, except) ?? (rather ? destination.pick(now, null) : null)) : null;
    if (instance !== null) this.assign(instance, now);
    else if (destination.circuitOpen(now)) {
      this.fail('gateway.circuit_open', {
        detail: 'Too many of its answers have failed lately; it is tried again in a moment.',
        retryAfterSeconds: 1,
      });
    } else this.#wait(destination, now);
  }

  #wait(destination: Destination, now: number): void {
    const { room } = destination;
    const longest = Math.floor(this.startedAt + this.#core.limits.waitMs);
    this.waitUntil = this.#deadline === 0 ? longest : Math.min(this.#deadline, longest);
    if (!room.enter(this, this.outlet.bytes)) {
      this.fail('gateway.queue_full', {
        detail: `${room.size} requests wait for this service already, ${Math.ceil(room.bytes / 1024)} KiB in all.`,
        retryAfterSeconds: 1,
      });
      return;
    }
    this.waited = true;
    this.head.record?.beginWait(now);
    this.#core.onWaiting(destination);
  }

  /** This instance has room. */
  assign(instance: Instance, now: number): void {
    const attempt = new Attempt(this.#core, this, instance, now);
    this.#attempt = attempt;
    this.#core.lastAttempt = attempt;
    attempt.begin();
  }

  /** The service has no such revision any more: look where its requests go now. */
  moveTo(destination: Destination, now: number): void {
    this.destination.traffic.move(now);
    this.destination = destination;
    this.#arrive(now);
  }

  /** The waiting took too long. */
  expire(): void {
    if (this.destination.revision === null) this.#unavailable();
    else {
      this.fail('gateway.queue_timeout', {
        detail: 'No instance of the service became ready in time. Its logs tell why.',
        retryAfterSeconds: 5,
      });
    }
  }

  // ── what the client sends and takes ──

  /** Checked bytes of the request's body. False: read no more from the client for now. */
  onBody(chunk: Buffer): boolean {
    if (!this.outlet.sent || this.#attempt === null) {
      const room = this.outlet.hold(chunk);
      return this.destination.room.grow(this, chunk.length) && room;
    }
    return this.#attempt.stream(chunk);
  }

  /** Ends the exchange where its body, of unknown length at first, has become larger than the service takes. */
  refusesBody(bytes: number): boolean {
    const most = this.#admission?.bounds?.maxRequestBytes ?? null;
    if (most === null || bytes <= most || this.ended) return false;
    this.destination.room.leave(this);
    this.closeAfter = true;
    this.fail('request.too_large', { detail: `The service takes at most ${most} bytes.` });
    return true;
  }

  /** The client has taken what was written. */
  onFlushed(): void {
    this.#attempt?.onFlushed();
  }

  /** Client bytes of a tunnel. False: read no more for now. */
  onTunnelInput(chunk: Buffer): boolean {
    return this.#attempt === null || this.#attempt.onTunnelInput(chunk);
  }

  onTunnelInputEnd(): void {
    this.#attempt?.onTunnelInputEnd();
  }

  // ── what comes of the attempt ──

  onAnswered(now: number): void {
    this.#end(this.status, now);
    this.connection.exchangeEnded(this);
  }

  onLost(loss: Loss, reused: boolean): void {
    const instance = this.#attempt?.instance;
    if (instance === undefined || this.ended) return;
    const now = this.#core.clock.monotonic();
    if (this.connection.tunnelling) {
      this.#end(101);
      this.connection.endOutput();
    } else if (this.started) {
      this.destination.blame(instance, now);
      this.#end(this.status);
      this.connection.cutOff();
    } else if (loss.cause === 'connect') this.#onRefused(loss, instance, now);
    else this.#onBroken(loss, instance, reused, now);
  }

  /** Refused connections prove that nobody is there. */
  #onRefused(loss: Loss, instance: Instance, now: number): void {
    if (this.destination.revision === null) {
      this.#unavailable();
      return;
    }
    instance.breaker.onFailure(now, FAILURE_THRESHOLD);
    this.#connectAttempts += 1;
    if (this.#afterLoss(loss, false) === 'elsewhere') this.#again(now, instance);
    else this.#failed(loss);
  }

  #onBroken(loss: Loss, instance: Instance, reused: boolean, now: number): void {
    if (loss.unprocessed === true) this.#connectAttempts += 1;
    const next = this.#afterLoss(loss, reused);
    if (next === 'elsewhere') {
      this.#again(now, instance);
      return;
    }
    const spent = next === 'repeat' && !this.destination.mayRepeat();
    if (next === 'repeat' && !spent) {
      // A kept connection may have been closed because it was idle; that is nobody's fault.
      if (!reused) this.destination.blame(instance, now);
      this.#repeats += 1;
      this.#core.stats.repeated += 1;
      // But one that died closes all of them and looks the least busy, so it must not get every try.
      this.#again(now, instance, reused);
      return;
    }
    if (spent) this.#core.stats.unrepeated += 1;
    this.destination.blame(instance, now);
    if (this.destination.revision === null) this.#unavailable();
    else this.#failed(loss, spent ? '; too many failed lately for it to be asked again' : '');
  }

  #afterLoss(loss: Loss, reused: boolean): ReturnType<typeof afterLoss> {
    return afterLoss({
      loss,
      method: this.method,
      whole: this.requestDone,
      hasBody: this.head.fields.framing !== 'none',
      streamed: this.outlet.streamed,
      reused,
      connectAttempts: this.#connectAttempts,
      repeats: this.#repeats,
    });
  }

  #again(now: number, except: Instance, rather = false): void {
    // Where it was the one that tries an ejected instance, it has found nothing out.
    except.breaker.onAbandoned();
    this.#release(now, 0);
    this.head.record?.lost(now);
    this.outlet.again();
    this.#admit(now, this.destination.instances.length > 1 ? except : null, rather);
  }

  // ── the end ──

  #failed(loss: Loss, unrepeated = ''): void {
    this.fail('gateway.upstream_failed', {
      detail: `The instance of the service failed: ${loss.detail}${unrepeated}.`,
    });
  }

  #unavailable(): void {
    this.fail('platform.unavailable', { detail: this.destination.unavailable, retryAfterSeconds: 2 });
  }

  /** Answers with a problem, or cuts the client off where a response has begun. */
  fail(code: ProblemCode, options: { detail?: string; retryAfterSeconds?: number } = {}): void {
    if (this.ended) return;
    this.#attempt?.abandon();
    if (this.started) {
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
    this.destination.room.leave(this);
    this.#attempt?.abandon();
    this.#end(this.connection.tunnelling ? 101 : status);
  }

  /** Bounds that only time can break; called several times a second. */
  check(now: number): void {
    const attempt = this.#attempt;
    const broken = overdue(
      {
        deadline: this.#deadline === 0 ? Number.POSITIVE_INFINITY : this.#deadline,
        bounds: this.#admission?.bounds ?? null,
        sent: this.outlet.sent && !this.connection.tunnelling,
        whole: this.requestDone,
        status: this.status,
        progressAt: attempt?.progressAt ?? now,
        connectingSince: attempt?.connecting ? attempt.assignedAt : Number.POSITIVE_INFINITY,
      },
      this.#core.limits.connectMs,
      now,
    );
    if (broken !== null) this.#onOverdue(broken, now);
  }

  #onOverdue(broken: Overdue, now: number): void {
    const { bounds } = this.#admission ?? {};
    switch (broken) {
      case 'deadline':
        this.destination.room.leave(this);
        this.#timeOut(broken, `The service took longer than its ${this.destination.timeoutMs} ms.`);
        return;
      case 'first-byte':
        if (this.#attempt !== null) this.destination.blame(this.#attempt.instance, now);
        this.#timeOut(broken, `The service did not begin its answer within ${bounds?.firstByteMs} ms.`);
        return;
      case 'idle':
        // While the client takes nothing the instance is not read, and cannot be blamed for its silence.
        if (this.connection.writer.settle())
          this.#timeOut(broken, `The service sent nothing for ${bounds?.idleMs} ms.`);
        return;
      case 'connect':
        this.head.record?.overdue(broken);
        this.#attempt?.giveUpConnecting();
        return;
      default:
    }
  }

  #timeOut(broken: Overdue, detail: string): void {
    this.head.record?.overdue(broken);
    this.fail('gateway.upstream_timeout', { detail });
  }

  #release(now: number, status: number): void {
    const attempt = this.#attempt;
    this.#attempt = null;
    attempt?.release(now, status);
  }

  #end(status: number, now = this.#core.clock.monotonic()): void {
    if (this.ended) return;
    this.ended = true;
    const { destination } = this;
    this.#core.stats.onEnd(status);
    destination.traffic.end(now, status, now - this.startedAt);
    this.#admission?.call?.end(status, now - this.startedAt);
    this.head.record?.end(now, status, destination.revision);
    if (this.#attempt !== null) this.#release(now, status);
    else if (destination.unanswered !== null) this.#core.meter.answered(destination.unanswered, now, status);
  }
}
