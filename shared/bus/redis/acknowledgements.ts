import type { Clock, Logger } from '@skyrun/kit';
import type { Redis } from 'ioredis';

const RETRY_MS = 200;

export interface AcknowledgementsOptions {
  readonly redis: Pick<Redis, 'xack' | 'xdel'>;
  readonly group: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How many may wait before whoever adds one has to wait too. */
  readonly most: number;
  /** Their entries are of no use once they are acknowledged. */
  readonly removed: (stream: string) => boolean;
}

/** What a reader takes along with its next read. */
export interface Lent {
  readonly ids: readonly string[];
  /** Whether Redis has it. */
  settled(taken: boolean): void;
}

/**
 * What was handled and is not acknowledged yet. All that comes within one turn of the event loop goes in one command, and
 * one command at a time, so that what Redis knows is always a beginning of what was handled; the rest is delivered again.
 *
 *   idle ──add──► scheduled ──► sending ──sent──► idle, or sending what came meanwhile
 *                     │            └──failed──► pause ──► sending again, until `drop`
 *                     └──lend──► lent ──taken──► idle      ──not taken──► sending
 */
export class Acknowledgements {
  readonly #options: AcknowledgementsOptions;
  readonly #dropped = new AbortController();
  #waiting = new Map<string, string[]>();
  #count = 0;
  #scheduled = false;
  #sending: Promise<void> | null = null;

  constructor(options: AcknowledgementsOptions) {
    this.#options = options;
  }

  /** A promise only where too many wait. */
  add(stream: string, id: string): Promise<void> | undefined {
    const ids = this.#waiting.get(stream);
    if (ids) ids.push(id);
    else this.#waiting.set(stream, [id]);
    this.#count += 1;
    if (this.#sending) return this.#count >= this.#options.most ? this.#sending : undefined;
    if (!this.#scheduled) this.#schedule();
    return undefined;
  }

  /** A reader that is about to read takes what waits of a stream with it; null where nothing waits or something is on its way. */
  lend(stream: string): Lent | null {
    const ids = this.#waiting.get(stream);
    if (this.#sending || !ids) return null;
    this.#waiting.delete(stream);
    this.#count -= ids.length;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#sending = promise;
    return {
      ids,
      settled: (taken) => {
        this.#sending = null;
        if (!taken) {
          const behind = this.#waiting.get(stream) ?? [];
          this.#waiting.set(stream, [...ids, ...behind]);
          this.#count += ids.length;
        }
        if (this.#count > 0) this.#sending = this.#send();
        resolve();
      },
    };
  }

  /** Resolves when nothing waits any more. */
  async flush(): Promise<void> {
    while (this.#sending || (this.#count > 0 && !this.#dropped.signal.aborted)) {
      this.#sending ??= this.#send();
      await this.#sending;
    }
  }

  /** The deliveries are somebody else's now. */
  drop(): void {
    this.#dropped.abort();
  }

  /** One turn for what else ends in this one, and for a reader that takes it along. */
  #schedule(): void {
    this.#scheduled = true;
    setImmediate(() =>
      setImmediate(() => {
        this.#scheduled = false;
        if (this.#count > 0) this.#sending ??= this.#send();
      }),
    );
  }

  async #send(): Promise<void> {
    // Whoever calls keeps the promise before this ends and forgets it.
    await Promise.resolve();
    while (this.#count > 0 && !this.#dropped.signal.aborted) {
      const batch = this.#waiting;
      this.#waiting = new Map();
      this.#count = 0;
      for (const [stream, ids] of batch) await this.#sendUntilTaken(stream, ids);
    }
    this.#sending = null;
  }

  async #sendUntilTaken(stream: string, ids: readonly string[]): Promise<void> {
    const { redis, group, clock, logger, removed } = this.#options;
    const { signal } = this.#dropped;
    while (!signal.aborted) {
      try {
        await redis.xack(stream, group, ...ids);
        if (removed(stream)) await redis.xdel(stream, ...ids);
        return;
      } catch (error) {
        logger.debug({ group, error }, 'could not acknowledge; will be tried again');
        await clock.sleep(RETRY_MS, signal).catch((reason: unknown) => {
          if (!signal.aborted) throw reason;
        });
      }
    }
  }
}
