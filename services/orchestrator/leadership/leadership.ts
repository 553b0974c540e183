import type { Clock, Logger } from '@skyrun/kit';
import type { Database } from '@skyrun/postgres';
import { acquireLease, LEASE_NAME, type LeaseRequest, renewLease, resignLease } from '../store/lease.ts';

/** One span of leading. */
export interface Term {
  readonly number: bigint;
  /** Aborted when the term is over, for whatever reason. */
  readonly signal: AbortSignal;
  /**
   * Throws when the term is over by the clock, though nobody may have noticed yet: a process that was stopped and goes
   * on again handles answers that came meanwhile before its timers. To be called right before every effect.
   */
  assertHeld(): void;
}

export interface LeadershipOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Unique per process. */
  readonly holder: string;
  readonly ttlMs: number;
  /** Does the leader's work until the signal aborts. When it throws, the term ends. */
  lead(term: Term): Promise<void>;
}

export interface Leadership {
  start(): void;
  /** Ends the work, then lets another lead at once. May come before start, and twice. */
  stop(): Promise<void>;
  isLeader(): boolean;
}

interface Lease {
  /** By the monotonic clock. */
  trustedUntil: number;
}

/**
 *   follower ──acquired──► leader ──renewed in time──► leader
 *      ▲                     │ not renewed before `attempt + ttl − margin`, refused, resigned, or the work failed
 *      └─────────────────────┘ (first the work ends, then it stands again)
 *
 * The holder trusts the lease by its own monotonic clock, counted from before the attempt, less a margin: it stops
 * before the database would let another begin.
 */
export function createLeadership(options: LeadershipOptions): Leadership {
  const { db, clock, logger, ttlMs } = options;
  const request: LeaseRequest = { name: LEASE_NAME, holder: options.holder, ttlMs };
  const marginMs = ttlMs / 4;
  const renewEveryMs = ttlMs / 4;
  const standEveryMs = ttlMs / 8;
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let leading = false;

  async function pause(ms: number, signal: AbortSignal): Promise<void> {
    await clock.sleep(ms, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  async function keep(term: bigint, lease: Lease, over: AbortController): Promise<void> {
    while (!over.signal.aborted) {
      await pause(renewEveryMs, over.signal);
      if (over.signal.aborted) return;
      const attempt = clock.monotonic();
      const cancel = clock.setTimeout(Math.max(0, lease.trustedUntil - attempt), () => {
        over.abort(new Error('the lease was not renewed in time'));
      });
      try {
        if (!(await renewLease(db, request, term))) over.abort(new Error('the lease was taken'));
        lease.trustedUntil = attempt + ttlMs - marginMs;
      } catch (error) {
        logger.warn({ error }, 'the lease could not be renewed; trying again while it holds');
        if (clock.monotonic() >= lease.trustedUntil) over.abort(new Error('the lease ran out'));
      } finally {
        cancel();
      }
    }
  }

  async function leadOnce(term: bigint, since: number): Promise<void> {
    const over = new AbortController();
    const end = () => over.abort(new Error('stopping'));
    stopping.signal.addEventListener('abort', end, { once: true });
    if (stopping.signal.aborted) end();
    leading = true;
    logger.info({ term: String(term) }, 'leading');
    const lease: Lease = { trustedUntil: since + ttlMs - marginMs };
    const assertHeld = () => {
      if (clock.monotonic() >= lease.trustedUntil) over.abort(new Error('the lease ran out'));
      over.signal.throwIfAborted();
    };
    const kept = keep(term, lease, over);
    try {
      await options.lead({ number: term, signal: over.signal, assertHeld });
      over.abort(new Error('the work ended'));
    } catch (error) {
      if (!over.signal.aborted) logger.error({ error }, 'the leader’s work failed; standing again');
      over.abort(error);
    } finally {
      leading = false;
      stopping.signal.removeEventListener('abort', end);
      await kept;
      logger.info({ term: String(term), reason: String(over.signal.reason) }, 'no longer leading');
      await resignLease(db, request, term).catch((error: unknown) => {
        logger.warn({ error }, 'the lease could not be handed back; it runs out by itself');
      });
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const since = clock.monotonic();
      try {
        const term = await acquireLease(db, request);
        if (term !== null) await leadOnce(term, since);
      } catch (error) {
        logger.warn({ error }, 'the lease could not be asked for');
      }
      await pause(standEveryMs, stopping.signal);
    }
  }

  return {
    start() {
      if (!stopping.signal.aborted) running ??= run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
    isLeader: () => leading,
  };
}
