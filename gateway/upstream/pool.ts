/** A connection that waits for its next request. */
export interface Poolable {
  /** Monotonic ms after which it must not be used again. */
  readonly idleUntil: number;
  destroy(): void;
}

/** What an idle connection is kept for when the instance does not say: less than Node's, the shortest common default of 5 s. */
export const DEFAULT_IDLE_MS = 4000;
export const MAX_IDLE_MS = 60_000;
const MAX_IDLE_CONNECTIONS = 1024;

/** The idle keep-alive connections of one instance, last used first, so that surplus ones age and close. */
export class ConnectionPool<C extends Poolable> {
  #idle: C[] = [];
  #closed = false;

  get size(): number {
    return this.#idle.length;
  }

  /** A connection that was idle for less than its limit, or null. `now` is monotonic ms. */
  take(now: number): C | null {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return null;
      if (now < connection.idleUntil) return connection;
      connection.destroy();
    }
  }

  put(connection: C): void {
    if (this.#closed || this.#idle.length >= MAX_IDLE_CONNECTIONS) connection.destroy();
    else this.#idle.push(connection);
  }

  remove(connection: C): void {
    const index = this.#idle.lastIndexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
  }

  /** Closes what was idle for too long. */
  sweep(now: number): void {
    if (this.#idle.every((connection) => now < connection.idleUntil)) return;
    const keep: C[] = [];
    const old: C[] = [];
    for (const connection of this.#idle) (now < connection.idleUntil ? keep : old).push(connection);
    this.#idle = keep;
    for (const connection of old) connection.destroy();
  }

  /** The instance takes requests again. */
  open(): void {
    this.#closed = false;
  }

  /** Closes all; connections in use are closed when they come back. */
  close(): void {
    this.#closed = true;
    const idle = this.#idle;
    this.#idle = [];
    for (const connection of idle) connection.destroy();
  }
}
