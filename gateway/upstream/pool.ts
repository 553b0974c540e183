import { isIdempotent } from '../http1/request-line.ts';
import type { RequestKind } from './carrier.ts';

/** A connection that waits for its next request. */
export interface Poolable {
  /** Monotonic ms after which only requests that may be sent twice may use it, because the instance may just be closing it. */
  readonly freshUntil: number;
  /** Monotonic ms after which it must not be used again. */
  readonly idleUntil: number;
  destroy(): void;
}

/** What an idle connection is fresh for when the instance does not say: less than Node's, the shortest common default of 5 s. */
export const DEFAULT_IDLE_MS = 4000;
/** As nginx keeps one. */
export const MAX_IDLE_MS = 60_000;
const MAX_IDLE_CONNECTIONS = 1024;

/** The idle keep-alive connections of one instance, last used first, so that surplus ones age and close. */
export class ConnectionPool<C extends Poolable> {
  #idle: C[] = [];
  #closed = false;

  get size(): number {
    return this.#idle.length;
  }

  /**
   * A connection that was idle for less than its limit, or null; for a request that must not be sent twice, only a fresh one.
   * `now` is monotonic ms.
   */
  take(request: RequestKind, now: number): C | null {
    for (;;) {
      const connection = this.#idle[this.#idle.length - 1];
      // Those below it have been idle for longer.
      if (connection === undefined || (now >= connection.freshUntil && !maySendTwice(request))) return null;
      this.#idle.pop();
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

  /**
   * The instance had closed `found` when a request took it: those that were fresh for less long, because they were idle for
   * longer, are taken for closed as well.
   */
  doubt(found: C): void {
    this.#closeThose((connection) => connection.freshUntil <= found.freshUntil);
  }

  /** Closes what was idle for too long. */
  sweep(now: number): void {
    this.#closeThose((connection) => now >= connection.idleUntil);
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

  #closeThose(mustClose: (connection: C) => boolean): void {
    if (!this.#idle.some(mustClose)) return;
    const keep: C[] = [];
    const closing: C[] = [];
    for (const connection of this.#idle) (mustClose(connection) ? closing : keep).push(connection);
    this.#idle = keep;
    for (const connection of closing) connection.destroy();
  }
}

/** Whether it is sent again where the instance closes the connection instead of answering. */
function maySendTwice({ line, fields }: RequestKind): boolean {
  return fields.framing === 'none' && isIdempotent(line.method);
}
