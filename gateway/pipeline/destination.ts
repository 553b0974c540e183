import type { ProblemCode, RouteInstance, RouteTarget, ServicePolicy } from '@skyrun/contracts';
import { type Candidate, leastInFlight } from '../balance/balance.ts';
import { Breaker } from '../breaker/breaker.ts';
import { InstanceMeter, type MeteredRevision } from '../meter/meter.ts';
import { TrafficWindow } from '../report/traffic-window.ts';
import type { Upstreams } from '../upstream/carrier.ts';
import { createUpstreams } from '../upstream/create-upstreams.ts';
import { PlainUpstreams } from '../upstream/plain-upstreams.ts';
import { type RoomBounds, type Waiter, WaitingRoom } from '../waiting/waiting-room.ts';

/** One place that answers: an instance of a revision, or a service of the platform. */
export class Instance implements Candidate {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly breaker = new Breaker();
  readonly upstreams: Upstreams;
  readonly meter: InstanceMeter | null;
  /** False while it drains or is paused, and after it left the route: it finishes what it has. */
  ready = true;
  /** Must be woken before it is sent anything. */
  paused = false;
  /** Of the last state that was heard of; what an earlier one says is out of date. */
  version = 0;
  /** It has answered a request since it was last started or resumed. */
  answered = false;
  inFlight = 0;
  /** On the list of those whose connections are looked after. */
  warm = false;
  readonly since: number;

  constructor(options: {
    id: string;
    address: string;
    port: number;
    revision: MeteredRevision | null;
    /** Default: HTTP/1.1, one request at a time on each connection. */
    upstreams?: Upstreams;
    /** Monotonic ms. */
    now: number;
  }) {
    this.since = options.now;
    this.id = options.id;
    this.address = options.address;
    this.port = options.port;
    this.upstreams = options.upstreams ?? new PlainUpstreams({ address: options.address, port: options.port });
    this.meter = options.revision === null ? null : new InstanceMeter(options.revision, options.id);
  }

  admits(now: number): boolean {
    return this.breaker.admits(now);
  }

  resume(): void {
    this.ready = true;
    this.paused = false;
    this.upstreams.reopen();
  }

  drain(): void {
    this.ready = false;
    this.paused = false;
    this.upstreams.close();
  }

  /** Connections that it has open would be answered by nobody. */
  pause(): void {
    this.drain();
    this.paused = true;
    this.answered = false;
  }

  /** What the route or the orchestrator says of it now. */
  follow({ state, version = 0 }: RouteInstance): void {
    if (version < this.version) return;
    this.version = version;
    if (state === 'ready') {
      if (!this.ready) this.resume();
    } else if (state === 'paused') {
      if (!this.paused) this.pause();
    } else if (this.ready || this.paused) this.drain();
  }
}

/** A request in a destination's waiting room. */
export interface WaitingRequest extends Waiter {
  /** Monotonic ms. */
  readonly startedAt: number;
  /** Its trace, for whoever works to end the waiting. */
  readonly traceparent: string;
  /** An instance has room. */
  assign(instance: Instance, now: number): void;
  /** The destination is gone; this one is in its place. */
  moveTo(destination: Destination, now: number): void;
  /** It waited too long. */
  expire(): void;
  fail(code: ProblemCode, options: { detail: string }): void;
}

export interface DestinationOptions {
  readonly name: string;
  /** Null for the platform's own services: not metered, not reported, never activated. */
  readonly revision: MeteredRevision | null;
  /** What a caller is told when nobody answers; for those without a revision. */
  readonly unavailable?: string;
  /** Hard limit of requests in flight per instance; 0 is none. */
  readonly containerConcurrency: number;
  /** First byte to last of one request, in ms; 0 is no limit. */
  readonly timeoutMs: number;
  readonly roomBounds: RoomBounds;
  /** Monotonic ms. */
  readonly now: () => number;
  readonly onBreaker?: (destination: Destination, instance: Instance, open: boolean) => void;
}

/** Repeated requests are at most this share of all, as Finagle and Linkerd bound them, and a few at the beginning. */
const REPEAT_SHARE = 0.2;
const REPEAT_BUDGET_FIRST = 10;
/** An instance that dies under load takes hundreds with it at once; each that may be repeated is. */
const REPEAT_BUDGET_MAX = 1000;

/** What one request is balanced over: a revision's instances, or one service of the platform. */
export class Destination {
  readonly name: string;
  revision: MeteredRevision | null;
  containerConcurrency: number;
  timeoutMs: number;
  /** The decision to send a request here; one object for all requests. */
  readonly decision = { kind: 'forward' as const, destination: this, admission: null };
  /** Requests that no instance answered are counted here. */
  readonly unanswered: InstanceMeter | null;
  readonly room: WaitingRoom<WaitingRequest>;
  readonly traffic: TrafficWindow;
  /** When the share of failures ejects an instance; undefined: only failures in a row do. */
  breaking: ServicePolicy['breaker'];
  /** Over how long a new instance is brought up to its share of requests; 0: at once. */
  slowStartMs = 0;
  /** Callers who ask are told what a request cost. */
  showsCost = false;
  readonly unavailable: string;
  /** No route leads here any more. */
  retired = false;
  /** How many routes lead here. */
  routes = 0;
  /** On the list of those whose traffic is reported. */
  listed = false;
  instances: Instance[] = [];
  /** Left the route with requests in flight. */
  leaving = new Set<Instance>();
  #offset = 0;
  #repeatBudget = REPEAT_BUDGET_FIRST;
  readonly #now: () => number;
  readonly #onBreaker: (instance: Instance, open: boolean) => void;

  constructor(options: DestinationOptions) {
    this.name = options.name;
    this.unavailable =
      options.unavailable ?? `The ${options.name} service of the platform does not answer. Running services go on.`;
    this.revision = options.revision;
    this.containerConcurrency = options.containerConcurrency;
    this.timeoutMs = options.timeoutMs;
    this.unanswered = options.revision === null ? null : new InstanceMeter(options.revision, '');
    this.room = new WaitingRoom(options.roomBounds);
    this.traffic = new TrafficWindow(options.now());
    this.#now = options.now;
    this.#onBreaker = (instance, open) => options.onBreaker?.(this, instance, open);
  }

  get hasReady(): boolean {
    return this.instances.some((instance) => instance.ready);
  }

  /** Whether an instance is on its way out; the orchestrator waits to hear that it is idle. */
  get hasDraining(): boolean {
    return this.leaving.size > 0 || this.instances.some((instance) => !instance.ready && !instance.paused);
  }

  /** Whether an instance could answer within milliseconds if it were woken. */
  get hasPaused(): boolean {
    return this.instances.some((instance) => instance.paused);
  }

  /** Takes over what the orchestrator answered, before the route says so; false when none of them is known here. */
  wake(resumed: readonly RouteInstance[]): boolean {
    for (const told of resumed) {
      const instance = this.instances.find((known) => known.id === told.id);
      if (instance !== undefined && samePlace(instance, told)) instance.follow(told);
    }
    return this.hasReady;
  }

  pick(now: number, except: Instance | null): Instance | null {
    const count = this.instances.length;
    if (count === 1) return this.#only(now);
    this.#offset = count === 0 ? 0 : (this.#offset + 1) % count;
    return leastInFlight(this.instances, {
      cap: this.containerConcurrency,
      now,
      offset: this.#offset,
      random: Math.random,
      except,
      slowStartMs: this.slowStartMs,
    });
  }

  #only(now: number): Instance | null {
    const instance = this.instances[0];
    if (instance === undefined || !instance.ready || !instance.admits(now)) return null;
    return this.containerConcurrency === 0 || instance.inFlight < this.containerConcurrency ? instance : null;
  }

  /**
   * An instance broke a response off or sent none. Where it is the only one that takes requests it stays: one route of
   * a service that always fails must not take the others away.
   */
  blame(instance: Instance, now: number): void {
    const others = this.instances.some((other) => other !== instance && other.ready && other.breaker.closed);
    if (others) instance.breaker.onFailure(now);
    else instance.breaker.onAbandoned();
  }

  /** Takes over a target's settings and instances; whoever waits is served where there is room now. */
  update(revision: MeteredRevision, target: RouteTarget, policy?: ServicePolicy): void {
    this.revision = revision;
    this.breaking = policy?.breaker;
    this.slowStartMs = policy?.slowStartMs ?? 0;
    this.showsCost = policy?.showCost === true;
    this.containerConcurrency = target.containerConcurrency;
    this.timeoutMs = target.timeoutMs;
    if (this.unanswered !== null) this.unanswered.revision = revision;
    const known = new Map(this.instances.map((instance) => [instance.id, instance]));
    this.instances = target.instances.map((wanted) => {
      const instance = known.get(wanted.id);
      if (instance === undefined || !samePlace(instance, wanted))
        return this.#create(wanted, revision, target.protocol);
      known.delete(wanted.id);
      if (instance.meter !== null) instance.meter.revision = revision;
      instance.follow(wanted);
      return instance;
    });
    for (const { upstreams } of this.instances) upstreams.follow(policy);
    for (const gone of known.values()) this.#leave(gone);
  }

  #create(wanted: RouteInstance, revision: MeteredRevision, protocol: RouteTarget['protocol']): Instance {
    const { id, address, port } = wanted;
    const instance = new Instance({
      id,
      address,
      port,
      revision,
      upstreams: createUpstreams(protocol, { address, port, now: this.#now }),
      now: this.#now(),
    });
    instance.follow(wanted);
    instance.breaker.onChange = (open) => this.#onBreaker(instance, open);
    return instance;
  }

  /** Whether requests are turned away at once: its policy breaks circuits, and every instance's is open. */
  circuitOpen(now: number): boolean {
    if (this.breaking?.failureRatio === undefined) return false;
    const ready = this.instances.filter((instance) => instance.ready);
    return (
      ready.length > 0 && ready.every(({ breaker }) => !breaker.closed && !breaker.refused && !breaker.admits(now))
    );
  }

  /** One more request may be repeated (true), or failures are so many that repeating them would double the load. */
  mayRepeat(): boolean {
    if (this.#repeatBudget < 1) return false;
    this.#repeatBudget -= 1;
    return true;
  }

  earnRepeat(): void {
    this.#repeatBudget = Math.min(REPEAT_BUDGET_MAX, this.#repeatBudget + REPEAT_SHARE);
  }

  retire(): void {
    this.retired = true;
    for (const instance of this.instances) this.#leave(instance);
    this.instances = [];
  }

  #leave(instance: Instance): void {
    instance.drain();
    if (instance.inFlight > 0) this.leaving.add(instance);
  }

  /** A request of this instance ended. */
  release(instance: Instance): void {
    instance.inFlight -= 1;
    if (instance.inFlight === 0 && !instance.ready) this.leaving.delete(instance);
  }
}

function samePlace(instance: Instance, wanted: RouteInstance): boolean {
  return instance.address === wanted.address && instance.port === wanted.port;
}
