import { type Clock, createTicker, type Logger, type Ticker } from '@skyrun/kit/base';
import type { Redis } from 'ioredis';
import { parseClaim, parseInfo, parsePending, type StreamEntry } from './replies.ts';

/** A delivery its consumer has not touched for so long goes to another consumer. */
const STALE_MS = 5_000;
const STALE_POLL_MS = 1_000;
/** Makes a delivery that is given back look as if nobody had touched it for long: the next look takes it over. */
const GIVEN_BACK_IDLE_MS = 86_400_000;
/** A consumer without deliveries is forgotten after this long. */
const FORGET_MS = 600_000;
/** Deliveries of a consumer that are given back in one step. */
const GIVE_BACK_BATCH = 1_000;

/** Deleting a consumer would lose its deliveries, so look and delete in one step. */
const FORGET = `local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if #pending == 0 then return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2]) end
return 0`;

export interface ClaimsOptions {
  readonly redis: Redis;
  readonly streams: readonly string[];
  readonly group: string;
  readonly consumer: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly staleMs?: number;
}

/** What one consumer of a shared group holds, and how it takes over from others what grew stale there. */
export class Claims {
  readonly #options: ClaimsOptions;
  /** Stream by id: everything that is neither given back nor handled. */
  readonly #held = new Map<string, string>();
  readonly #keeper: Ticker;
  #due = 0;

  constructor(options: ClaimsOptions) {
    this.#options = options;
    const { clock, logger, group } = options;
    this.#keeper = createTicker({
      name: `bus.claims.${group}`,
      clock,
      logger,
      everyMs: this.#everyMs,
      run: () => this.#touchAll(),
    });
  }

  get #everyMs(): number {
    const { staleMs = STALE_MS } = this.#options;
    return Math.min(STALE_POLL_MS, staleMs / 3);
  }

  /** From now on what is held does not grow stale, also while every handler is busy and nothing is read. */
  keep(): void {
    this.#keeper.start();
  }

  async letGo(): Promise<void> {
    await this.#keeper.stop();
  }

  add(stream: string, id: string): void {
    this.#held.set(id, stream);
  }

  remove(id: string): void {
    this.#held.delete(id);
  }

  /** Now and then: gives `take` what grew stale elsewhere, as long as there is `room`. */
  async look(room: () => number, take: (stream: string, entries: readonly StreamEntry[]) => void): Promise<void> {
    const { clock, streams, staleMs = STALE_MS } = this.#options;
    const now = clock.monotonic();
    if (now < this.#due) return;
    this.#due = now + this.#everyMs;
    for (const stream of streams) await this.#claimStale(stream, staleMs, room, take);
  }

  async #touchAll(): Promise<void> {
    for (const stream of this.#options.streams) await this.#touch(stream);
  }

  /** Resets the idle time of what is still being handled here, retries included. */
  async #touch(stream: string): Promise<void> {
    const ids = this.#heldOf(stream);
    if (ids.length === 0) return;
    const { redis, group, consumer } = this.#options;
    await redis.call('XCLAIM', stream, group, consumer, '0', ...ids, 'JUSTID');
  }

  async #claimStale(
    stream: string,
    staleMs: number,
    room: () => number,
    take: (stream: string, entries: readonly StreamEntry[]) => void,
  ): Promise<void> {
    const { redis, group, consumer } = this.#options;
    for (let cursor = '0-0'; room() > 0; ) {
      const claimed = parseClaim(await redis.xautoclaim(stream, group, consumer, staleMs, cursor, 'COUNT', room()));
      take(
        stream,
        claimed.entries.filter((entry) => !this.#held.has(entry.id)),
      );
      if (claimed.cursor === '0-0') break;
      cursor = claimed.cursor;
    }
    for (const info of parseInfo(await redis.xinfo('CONSUMERS', stream, group))) {
      if (Number(info.get('idle') ?? 0) > FORGET_MS) await this.#forget(stream, info.get('name') ?? '');
    }
  }

  /**
   * What `consumer` was given and has not settled goes to whoever looks next, be it what it never heard of because its connection
   * broke under the answer. Only for one that handles nothing any more.
   */
  async giveBack(consumer = this.#options.consumer): Promise<void> {
    const { redis, streams, group } = this.#options;
    for (const stream of streams) {
      for (let from = '-', more = true; more; ) {
        const ids = parsePending(await redis.xpending(stream, group, from, '+', GIVE_BACK_BATCH, consumer));
        const idle = ['IDLE', String(GIVEN_BACK_IDLE_MS), 'JUSTID'];
        if (ids.length > 0) await redis.call('XCLAIM', stream, group, consumer, '0', ...ids, ...idle);
        more = ids.length === GIVE_BACK_BATCH;
        from = `(${ids.at(-1)}`;
      }
      await this.#forget(stream, consumer);
    }
  }

  async #forget(stream: string, consumer: string): Promise<void> {
    await this.#options.redis.eval(FORGET, 1, stream, this.#options.group, consumer);
  }

  #heldOf(stream: string): string[] {
    return [...this.#held].flatMap(([id, place]) => (place === stream ? [id] : []));
  }
}
