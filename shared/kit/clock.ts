/** The only door to time. Code that decides takes `now` as an argument; code that acts takes a Clock. */
export interface Clock {
  /** Unix time in milliseconds; may jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds since an arbitrary start; never jumps back. */
  monotonic(): number;
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs `fn` after `ms`; the returned function cancels. */
  setTimeout(ms: number, fn: () => void): () => void;
}

function sleepOn(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.setTimeout(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

export const systemClock: Clock = {
  now: () => Date.now(),
  // Bound once: the global `performance` is an accessor, and a gateway asks twice for each request.
  monotonic: performance.now.bind(performance),
  sleep(ms, signal) {
    return sleepOn(this, ms, signal);
  },
  setTimeout(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};

/** A clock whose `now` is wrong by so many milliseconds; what it measures and waits is right, as on a machine set wrong. */
export function offsetClock(clock: Clock, offsetMs: number): Clock {
  if (offsetMs === 0) return clock;
  return { ...clock, now: () => clock.now() + offsetMs };
}

interface Waiter {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

/** A clock that stands still until `advance`; for tests and simulation. */
export class ManualClock implements Clock {
  #now: number;
  #order = 0;
  #waiters: Waiter[] = [];

  constructor(start = 1_700_000_000_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  setTimeout(ms: number, fn: () => void): () => void {
    this.#order += 1;
    const waiter: Waiter = { at: this.#now + Math.max(0, ms), order: this.#order, fn };
    this.#waiters.push(waiter);
    return () => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
    };
  }

  /** Moves time on and runs what falls due, in order, letting promises settle between two timers. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const due = this.#waiters
        .filter((waiter) => waiter.at <= end)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (!due) break;
      this.#waiters = this.#waiters.filter((waiter) => waiter !== due);
      this.#now = Math.max(this.#now, due.at);
      due.fn();
    }
    this.#now = end;
    await settle();
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** UTC, RFC 3339 with milliseconds. */
export function isoTime(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

/** As HTTP's `Date` has it (RFC 9110 §5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function httpTime(unixMs: number): string {
  return new Date(unixMs).toUTCString();
}
