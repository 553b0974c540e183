export interface Waiter {
  /** Monotonic ms after which it must not wait any longer. */
  readonly waitUntil: number;
}

export interface RoomBounds {
  /** Requests that may wait. */
  readonly requests: number;
  /** What they may hold together: heads, and as much of their bodies as was read. */
  readonly bytes: number;
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
  /** Who waits, and what each holds, in bytes. */
  #waiters = new Map<W, number>();
  #bytes = 0;
  readonly #bounds: RoomBounds;

  constructor(bounds: RoomBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#waiters.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The one that waits longest, who stays. */
  get first(): W | undefined {
    for (const waiter of this.#waiters.keys()) return waiter;
    return undefined;
  }

  /** `bytes`: what it holds. False when the room is full. */
  enter(waiter: W, bytes: number): boolean {
    if (this.#waiters.size >= this.#bounds.requests || this.#bytes + bytes > this.#bounds.bytes) return false;
    this.#waiters.set(waiter, bytes);
    this.#bytes += bytes;
    return true;
  }

  /** It holds `bytes` more, which were read already. False: there is no room for what else it has. */
  grow(waiter: W, bytes: number): boolean {
    const held = this.#waiters.get(waiter);
    if (held === undefined) return true;
    this.#waiters.set(waiter, held + bytes);
    this.#bytes += bytes;
    return this.#bytes < this.#bounds.bytes;
  }

  /** The one that waits longest, taken out. */
  take(): W | undefined {
    const { first } = this;
    if (first !== undefined) this.leave(first);
    return first;
  }

  /** Whether it was waiting. */
  leave(waiter: W): boolean {
    this.#bytes -= this.#waiters.get(waiter) ?? 0;
    return this.#waiters.delete(waiter);
  }

  /** Takes out all whose time is over. */
  expire(now: number): W[] {
    const expired: W[] = [];
    for (const waiter of this.#waiters.keys()) if (now >= waiter.waitUntil) expired.push(waiter);
    for (const waiter of expired) this.leave(waiter);
    return expired;
  }

  takeAll(): W[] {
    const all = [...this.#waiters.keys()];
    this.#waiters.clear();
    this.#bytes = 0;
    return all;
  }
}
