import type { AnyEvent } from '@skyrun/contracts';
import { backoff, type Clock, createTicker, type Logger } from '@skyrun/kit';
import type { Database } from './database.ts';
import { createOutboxQueue } from './outbox-queue.ts';
import { upkeep } from './upkeep.ts';

/** What the relay needs of a bus: resolves when the broker has confirmed all of them. */
export interface EventPublisher {
  publish(events: readonly AnyEvent[]): Promise<void>;
}

export interface OutboxRelayOptions {
  readonly db: Database;
  readonly bus: EventPublisher;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Events in one batch; 500 by default. */
  readonly batchSize?: number;
}

export interface OutboxRelay {
  /** Events that wait already are sent from now on. */
  start(): Promise<void>;
  /** Waits for a batch that is under way. May be called before start, and twice. */
  stop(): Promise<void>;
  wake(): void;
}

const POLL_MS = 1_000;
const UPKEEP_MS = 60_000;

/**
 * Sends a schema's outbox to the bus, in order. One relay per schema works at a time, whichever holds the advisory lock of the
 * transaction that claims a batch; the lock, the claim and the mark live and die together with that transaction:
 *
 *   lock + claim ──► publish ──► confirmed ──► mark sent, commit (lock given back)
 *        killed here: nothing was sent    killed here: sent again, and the consumers' inbox absorbs it
 *
 * A relay that stands still while it holds the lock is cut off by PostgreSQL, and another one goes on.
 */
export function createOutboxRelay({ db, bus, clock, logger, batchSize = 500 }: OutboxRelayOptions): OutboxRelay {
  const delay = backoff({ baseMs: 50, maxMs: 5_000 });
  const patience = backoff({ baseMs: 20, maxMs: 1_000 });
  const queue = createOutboxQueue(batchSize);
  let unlisten: (() => void) | undefined;
  let failures = 0;
  let stopped = false;
  let upkeepDue = 0;

  const sendBatch = async () => {
    // Aside: the busier those are who write events, the longer they would make the one wait who sends them.
    const batch = await db.transaction(
      async (tx) => {
        const claimed = await queue.claim(tx);
        if (claimed.events.length === 0) return claimed;
        await bus.publish(claimed.events);
        await queue.markSent(tx, claimed);
        return claimed;
      },
      { aside: true },
    );
    queue.committed(batch);
    return batch;
  };
  const sendAll = async (signal: AbortSignal) => {
    for (let waits = 0; !signal.aborted; ) {
      const { busy, events } = await sendBatch();
      if (!busy && events.length < batchSize) return;
      failures = 0;
      waits = busy ? waits + 1 : 0;
      // Whoever has the lock may have read the outbox before our own events came in.
      if (busy) await clock.sleep(patience(waits), signal);
    }
  };

  const ticker = createTicker({
    name: 'outbox.relay',
    clock,
    logger,
    everyMs: POLL_MS,
    async run(signal) {
      try {
        await sendAll(signal);
        failures = 0;
        if (clock.monotonic() >= upkeepDue) {
          upkeepDue = clock.monotonic() + UPKEEP_MS;
          await upkeep(db, logger);
        }
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        logger.warn({ schema: db.schema, error, failures }, 'outbox not sent; will be tried again');
        await clock.sleep(delay(failures), signal);
      }
    },
  });

  return {
    async start() {
      if (stopped || unlisten) return;
      unlisten = db.onOutboxGrown(() => ticker.wake());
      ticker.start();
    },
    async stop() {
      stopped = true;
      unlisten?.();
      unlisten = undefined;
      await ticker.stop();
    },
    wake: () => ticker.wake(),
  };
}
