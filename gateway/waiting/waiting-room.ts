export interface Waiter {
  /** Monotonic ms after which it must not wait any longer. */
  readonly waitUntil: number;
}

/**
 * Requests of one destination for which no instance has room, in order of arrival.
 *
 *   enter ──► waiting ──► take (an instance has room)
 *     │ full     ├──────► leave (its client is gone)
 *     ▼          └──────► expire (it waited too long)
 *   refused
 */
export class WaitingRoom<W extends Waiter> {
  #waiters = new Set<W>();
  #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** The one that waits longest, who stays. */
  get first(): W | undefined {
    for (const waiter of this.#waiters) return waiter;
    return undefined;
  }

  /** False when the room is full. */
  enter(waiter: W): boolean {
    if (this.#waiters.size >= this.#limit) return false;
    this.#waiters.add(waiter);
    return true;
  }

  /** The one that waits longest, taken out. */
  take(): W | undefined {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      return waiter;
    }
    return undefined;
  }

  /** Whether it was waiting. */
  leave(waiter: W): boolean {
    return this.#waiters.delete(waiter);
  }

  /** Takes out all whose time is over. */
  expire(now: number): W[] {
    const expired: W[] = [];
    for (const waiter of this.#waiters) if (now >= waiter.waitUntil) expired.push(waiter);
    for (const waiter of expired) this.#waiters.delete(waiter);
    return expired;
  }

  takeAll(): W[] {
    const all = [...this.#waiters];
    this.#waiters.clear();
    return all;
  }
}
