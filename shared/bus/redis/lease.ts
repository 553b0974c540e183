import type { Clock, Logger } from '@skyrun/kit';
import type { Redis } from 'ioredis';

const TTL_MS = 3_000;
/** For the way back of the answer and the granularity of timers. */
const MARGIN_MS = 500;
const RENEW_MS = 800;
export const LEASE_POLL_MS = 400;

const TAKE = `local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

export interface LeaseOptions {
  readonly redis: Redis;
  readonly key: string;
  /** Unique to one consumer. */
  readonly holder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  onLost(): void;
}

/** Held until `attempt start + TTL − margin`, pushed on by renewal; after a loss it is over and a new one is needed. */
export class Lease {
  readonly #options: LeaseOptions;
  #heldUntil = 0;
  #over = false;
  #cancelRenewal: (() => void) | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /**
   * Whether it is ours for certain. A process that stood still for too long has lost it for good, even where nobody else
   * took it meanwhile: deliveries that were not begun for that reason must come again, in order.
   */
  held(): boolean {
    if (!this.#over && this.#options.clock.monotonic() >= this.#heldUntil) this.#lose();
    return !this.#over;
  }

  /** Whether it is ours now. */
  async take(): Promise<boolean> {
    if (!(await this.#attempt())) return false;
    this.#scheduleRenewal();
    return true;
  }

  async release(): Promise<void> {
    this.#over = true;
    this.#cancelRenewal?.();
    const { redis, key, holder, logger } = this.#options;
    await redis.eval(RELEASE, 1, key, holder).catch((error: unknown) => {
      logger.debug({ error, key }, 'lease not released; it ends by itself');
    });
  }

  async #attempt(): Promise<boolean> {
    const { redis, key, holder, clock } = this.#options;
    const start = clock.monotonic();
    if ((await redis.eval(TAKE, 1, key, holder, TTL_MS)) !== 1) return false;
    this.#heldUntil = start + TTL_MS - MARGIN_MS;
    return true;
  }

  #scheduleRenewal(): void {
    this.#cancelRenewal = this.#options.clock.setTimeout(RENEW_MS, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    if (this.#over) return;
    try {
      if (!(await this.#attempt())) return this.#lose();
    } catch (error) {
      this.#options.logger.debug({ error, key: this.#options.key }, 'lease not renewed');
      if (!this.held()) return;
    }
    if (!this.#over) this.#scheduleRenewal();
  }

  #lose(): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.onLost();
  }
}
