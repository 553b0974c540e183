import type { Clock, Logger } from '@skyrun/kit';
import type { Dispatcher } from './dispatcher.ts';
import { BusError, closed } from './errors.ts';
import type { Subscription } from './event-bus.ts';

/** How long a new session waits for the handlers of a lost one, so that one process does not overtake itself. */
const WIND_DOWN_MS = 30_000;

export interface SessionLoopOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds to wait after the nth session in a row that was never established. */
  readonly delay: (attempt: number) => number;
  /** Runs one session; returns or throws when it is over. */
  run(session: Session): Promise<void>;
}

/** What a session may ask and must tell. */
export interface Session {
  /** Aborted when the subscription is being closed. */
  readonly signal: AbortSignal;
  readonly closing: boolean;
  /** Closing, or lost. */
  readonly ended: boolean;
  /** The group exists and this consumer stands in it. */
  established(): void;
  consuming(dispatcher: Dispatcher): void;
  /** Called once at closing, after the running handlers have ended. */
  onClosing(fn: () => void): void;
  /** The broker may give the deliveries to someone else from now on. */
  lost(reason: string): void;
  /** Ends the dispatcher: gracefully when closing, else as lost. */
  wind(dispatcher: Dispatcher): Promise<void>;
  pause(ms: number): Promise<void>;
}

/**
 * Keeps one consumer going over lost connections.
 *
 *   session ──established──► consuming ──lost / error──► backoff ──► session …
 *      └───────────────────────┴───────close──► closed
 */
export class SessionLoop implements Subscription {
  readonly #options: SessionLoopOptions;
  readonly #stop = new AbortController();
  readonly #established = Promise.withResolvers<void>();
  readonly #done: Promise<void>;
  #dispatcher: Dispatcher | undefined;
  #onClosing: (() => void) | undefined;
  #failures = 0;
  #closed: Promise<void> | undefined;

  constructor(options: SessionLoopOptions) {
    this.#options = options;
    // A caller that never asks for `established` must not see an unhandled rejection.
    this.#established.promise.catch((error: unknown) => options.logger.debug({ error }, 'subscription ended early'));
    this.#done = this.#loop();
  }

  /** Resolves at the first established session; rejects when closed before, or when the broker refuses for good. */
  get established(): Promise<void> {
    return this.#established.promise;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#stop.abort();
    this.#established.reject(closed());
    await this.#dispatcher?.stop();
    this.#onClosing?.();
    await this.#done;
  }

  async #loop(): Promise<void> {
    const { name, logger, delay } = this.#options;
    const stop = this.#stop.signal;
    while (!stop.aborted) {
      try {
        await this.#options.run(this.#newSession());
      } catch (error) {
        if (stop.aborted) return;
        if (error instanceof BusError && error.code === 'bus.group_conflict') {
          logger.error({ group: name, error }, 'subscription refused');
          this.#established.reject(error);
          return;
        }
        logger.warn({ group: name, error }, 'subscription interrupted; will resume');
      }
      this.#failures += 1;
      await this.#pause(delay(this.#failures));
    }
  }

  #newSession(): Session {
    let lost = false;
    let current: Dispatcher | undefined;
    const stop = this.#stop.signal;
    this.#onClosing = undefined;
    return {
      signal: stop,
      get closing() {
        return stop.aborted;
      },
      get ended() {
        return lost || stop.aborted;
      },
      established: () => {
        this.#failures = 0;
        this.#established.resolve();
      },
      consuming: (dispatcher) => {
        current = dispatcher;
        this.#dispatcher = dispatcher;
      },
      onClosing: (fn) => {
        this.#onClosing = fn;
        if (stop.aborted) fn();
      },
      lost: (reason) => {
        lost = true;
        current?.abort(reason);
      },
      wind: (dispatcher) => this.#wind(dispatcher),
      pause: (ms) => this.#pause(ms),
    };
  }

  async #wind(dispatcher: Dispatcher): Promise<void> {
    if (this.#stop.signal.aborted) return dispatcher.stop();
    dispatcher.abort('the connection to the broker was lost');
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.setTimeout(WIND_DOWN_MS, () => {
      this.#options.logger.error({ group: this.#options.name }, 'a handler ignores its signal; going on beside it');
      resolve();
    });
    await Promise.race([dispatcher.stop(), promise]);
    cancel();
  }

  async #pause(ms: number): Promise<void> {
    const stop = this.#stop.signal;
    await this.#options.clock.sleep(ms, stop).catch((reason: unknown) => {
      if (!stop.aborted) throw reason;
    });
  }
}
