import { type AnyEvent, InvalidEventError, parseEvent, type TypeSet } from '@skyrun/contracts';
import { backoff, type Clock, isoTime, type Logger } from '@skyrun/kit/base';
import type { DeliveryContext, EventHandler, RetryPolicy } from './event-bus.ts';
import { afterFailure } from './retry.ts';

/** Places of an error's stack that a dead letter keeps. */
const MAX_STACK = 20;

/** Why and when a delivery was given up. */
export interface Failure {
  readonly error: string;
  readonly attempts: number;
  /** RFC 3339. */
  readonly deadAt: string;
}

/** What a broker hands over. `done` and `bury` settle it; a broker that loses its connection rejects them. */
export interface Delivery {
  readonly body: string;
  /** A promise only where there is something to wait for. */
  done(): Promise<void> | undefined;
  bury(failure: Failure): Promise<void>;
}

export interface DispatcherOptions {
  readonly name: string;
  readonly types: TypeSet;
  readonly prefetch: number;
  readonly sideBySide: boolean;
  readonly handler: EventHandler;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retry: RetryPolicy;
  /** true: a failure is logged and forgotten. */
  readonly ephemeral: boolean;
  /** Asked before each start of a handler; false while this consumer may no longer be the active one. */
  readonly mayStart?: () => boolean;
  /** Called whenever there may be room for another delivery. */
  readonly onRoom?: () => void;
}

type AfterError =
  | { readonly next: 'done' }
  | { readonly next: 'bury' }
  | { readonly next: 'again'; readonly failures: number };

interface Item {
  readonly delivery: Delivery;
  /** null: not JSON. */
  readonly raw: unknown;
}

/** Waits in a lane whose first delivery is being handled: mostly nothing, and then the lane needs no list of its own. */
const NOTHING: Item[] = [];

/**
 * Runs one consumer's deliveries: one lane per subject (or per delivery), lanes side by side, order and retries inside the
 * lane.
 *
 *   accepting ──stop──► stopping (running handlers end, nothing starts) ──► stopped
 *       └──────abort──► the same, with the handlers' signal aborted
 *
 * What is neither started nor settled when it stops is left to the broker, which delivers it again.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #lanes = new Map<string, Item[]>();
  /** Lanes that run. */
  #running = 0;
  #ended: PromiseWithResolvers<void> | undefined;
  readonly #stopping = new AbortController();
  readonly #lost = new AbortController();
  /** What the signals say, too; asked several times for every event. */
  #stopped = false;
  #isLost = false;
  /** Most deliveries are tried once, and are told so by the same object. */
  readonly #firstTry: DeliveryContext = Object.freeze({ attempt: 1, signal: this.#lost.signal });
  readonly #delay: (attempt: number) => number;
  #inFlight = 0;
  #accepted = 0;
  #roomWaiters: (() => void)[] = [];

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#delay = backoff({ baseMs: options.retry.baseMs, maxMs: options.retry.maxMs });
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get room(): number {
    return Math.max(0, this.#options.prefetch - this.#inFlight);
  }

  accept(delivery: Delivery): void {
    if (this.#stopped) return;
    this.#inFlight += 1;
    const item: Item = { delivery, raw: parseJson(delivery.body) };
    this.#accepted += 1;
    const key = this.#options.sideBySide ? String(this.#accepted) : laneOf(item.raw);
    const waiting = this.#lanes.get(key);
    if (waiting === undefined) {
      this.#lanes.set(key, NOTHING);
      this.#running += 1;
      void this.#runLane(key, item);
    } else if (waiting === NOTHING) this.#lanes.set(key, [item]);
    else waiting.push(item);
  }

  /** Resolves when there is room for at least one more, or it stops. */
  async waitForRoom(): Promise<void> {
    while (this.room === 0 && !this.#stopped) {
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopping.abort();
    this.#wakeRoomWaiters();
    if (this.#running === 0) return;
    this.#ended ??= Promise.withResolvers();
    await this.#ended.promise;
  }

  /** The broker may have given the deliveries to someone else. */
  abort(reason: string): void {
    this.#isLost = true;
    this.#lost.abort(new Error(reason));
    this.#stopped = true;
    this.#stopping.abort();
    this.#wakeRoomWaiters();
  }

  async #runLane(key: string, first: Item): Promise<void> {
    try {
      for (let item: Item | undefined = first; item; item = this.#following(key)) {
        const handled = this.#handle(item);
        if (!(typeof handled === 'boolean' ? handled : await handled)) return;
        this.#inFlight -= 1;
        this.#wakeRoomWaiters();
      }
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#ended?.resolve();
    }
  }

  /** What comes next in the lane; the lane is over when nothing does. */
  #following(key: string): Item | undefined {
    const waiting = this.#lanes.get(key);
    const next = waiting?.shift();
    if (next === undefined) this.#lanes.delete(key);
    return next;
  }

  /** Whether it was settled. */
  #handle({ delivery, raw }: Item): boolean | Promise<boolean> {
    if (this.#stopped) return false;
    const { types, ephemeral } = this.#options;
    const type = typeOf(raw);
    // A type nobody here asked for: a broker that filters more coarsely, or a newer producer.
    if (type !== null && !types.has(type)) return this.#done(delivery);
    const event = parse(raw);
    if (event instanceof Error) {
      this.#log('error', event, 'malformed event', { type });
      return ephemeral ? this.#done(delivery) : this.#bury(delivery, event, 0);
    }
    return this.#try(delivery, event);
  }

  async #try(delivery: Delivery, event: AnyEvent): Promise<boolean> {
    const { handler, mayStart } = this.#options;
    for (let attempt = 1, failures = 0; ; attempt += 1) {
      if (this.#stopped || mayStart?.() === false) return false;
      try {
        await handler(event, attempt === 1 ? this.#firstTry : { attempt, signal: this.#lost.signal });
        break;
      } catch (error) {
        if (this.#isLost) return false;
        const verdict = this.#judge(event, error, attempt, failures);
        if (verdict.next === 'done') break;
        if (verdict.next === 'bury') return this.#bury(delivery, error, attempt);
        failures = verdict.failures;
        if (!(await this.#pause(attempt))) return false;
      }
    }
    return this.#done(delivery);
  }

  #judge(event: AnyEvent, error: unknown, attempt: number, failuresBefore: number): AfterError {
    const { retry, ephemeral } = this.#options;
    const fields = { type: event.type, subject: event.subject, id: event.id, attempt };
    if (ephemeral) {
      this.#log('warn', error, 'handler failed; ephemeral, not tried again', fields);
      return { next: 'done' };
    }
    const transient = retry.isTransient(error);
    const failures = failuresBefore + (transient ? 0 : 1);
    if (afterFailure(retry, transient, failures) === 'dead') {
      this.#log('error', error, 'handler failed; the event is a dead letter now', fields);
      return { next: 'bury' };
    }
    this.#log('warn', error, 'handler failed; will be tried again', fields);
    return { next: 'again', failures };
  }

  /** Mostly there is nothing to wait for, and a lane that does not wait saves the event loop a turn per event. */
  #done(delivery: Delivery): boolean | Promise<boolean> {
    if (this.#isLost) return false;
    const settling = delivery.done();
    return settling === undefined ? true : this.#settle(() => settling);
  }

  #bury(delivery: Delivery, error: unknown, attempts: number): Promise<boolean> {
    const failure = { error: describe(error), attempts, deadAt: isoTime(this.#options.clock.now()) };
    return this.#settle(() => delivery.bury(failure));
  }

  /** Tries until it works or the broker has taken the delivery back: a lane may not pass an unsettled delivery. */
  async #settle(how: () => Promise<void>): Promise<boolean> {
    for (let attempt = 1; !this.#isLost; attempt += 1) {
      try {
        await how();
        return true;
      } catch (error) {
        if (this.#isLost) return false;
        this.#log('debug', error, 'could not settle a delivery; will be tried again', { attempt });
        if (!(await this.#pause(attempt))) return false;
      }
    }
    return false;
  }

  /** False if it stopped meanwhile. */
  async #pause(attempt: number): Promise<boolean> {
    const stop = this.#stopping.signal;
    await this.#options.clock.sleep(this.#delay(attempt), stop).catch((reason: unknown) => {
      if (!stop.aborted) throw reason;
    });
    return !stop.aborted;
  }

  #wakeRoomWaiters(): void {
    this.#options.onRoom?.();
    const waiters = this.#roomWaiters;
    if (waiters.length === 0) return;
    this.#roomWaiters = [];
    for (const wake of waiters) wake();
  }

  #log(level: 'debug' | 'warn' | 'error', error: unknown, message: string, fields: Record<string, unknown>): void {
    this.#options.logger[level]({ group: this.#options.name, error, ...fields }, message);
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function laneOf(raw: unknown): string {
  return typeof raw === 'object' && raw !== null && 'subject' in raw && typeof raw.subject === 'string'
    ? raw.subject
    : '';
}

function typeOf(raw: unknown): string | null {
  return typeof raw === 'object' && raw !== null && 'type' in raw && typeof raw.type === 'string' ? raw.type : null;
}

function parse(raw: unknown): AnyEvent | InvalidEventError {
  try {
    return parseEvent(raw);
  } catch (error) {
    if (error instanceof InvalidEventError) return error;
    throw error;
  }
}

/** `Name: message`, then the places of its stack, a line each. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 2000);
  const places = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return [`${error.name}: ${error.message}`.slice(0, 2000), ...places.slice(0, MAX_STACK)].join('\n');
}
