import type { AnyEvent } from '@skyrun/contracts';
import { backoff, type Clock, createTicker, type Logger } from '@skyrun/kit';
import type { Database } from './database.ts';
import type { Unlisten } from './listener.ts';
import { outboxChannel } from './outbox.ts';

/** What the relay needs of a bus: resolves when the broker has confirmed all of them. */
export interface EventPublisher {
  publish(events: readonly AnyEvent[]): Promise<void>;
}

export interface OutboxRelayOptions {
  readonly db: Database;
  readonly bus: EventPublisher;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Events in one batch; 200 by default. */
  readonly batchSize?: number;
}

export interface OutboxRelay {
  /** Resolves when it listens; events that wait already are sent from now on. */
  start(): Promise<void>;
  /** Waits for a batch that is under way. May be called before start, and twice. */
  stop(): Promise<void>;
  wake(): void;
}

const POLL_MS = 1_000;
const UPKEEP_MS = 60_000;
/** Sent events are kept for looking into. */
const KEEP_SENT = '1 hour';
/** Longer than any redelivery or replay is to be expected. */
const KEEP_INBOX = '90 days';

/**
 * Sends a schema's outbox to the bus, in order. One relay per schema works at a time, whichever holds the advisory lock of the
 * transaction that claims a batch; the lock, the claim and the mark live and die together with that transaction:
 *
 *   lock + claim ──► publish ──► confirmed ──► mark sent, commit (lock given back)
 *        killed here: nothing was sent    killed here: sent again, and the consumers' inbox absorbs it
 */
export function createOutboxRelay({ db, bus, clock, logger, batchSize = 200 }: OutboxRelayOptions): OutboxRelay {
  const delay = backoff({ baseMs: 50, maxMs: 5_000 });
  let unlisten: Unlisten | undefined;
  let failures = 0;
  let stopped = false;
  let upkeepDue = 0;

  const sendBatch = () =>
    db.transaction(async (tx) => {
      const lock = await tx.query<{ taken: boolean }>(
        `select pg_try_advisory_xact_lock(hashtextextended('skyrun.relay.' || current_schema(), 0)) as taken`,
      );
      if (!lock.rows[0]?.taken) return 0;
      const { rows } = await tx.query<{ id: string; event: AnyEvent }>(
        'select id, event from outbox where sent_at is null order by id limit $1 for update skip locked',
        [batchSize],
      );
      if (rows.length === 0) return 0;
      await bus.publish(rows.map(({ event }) => event));
      await tx.query('update outbox set sent_at = now() where id = any($1::bigint[])', [rows.map(({ id }) => id)]);
      return rows.length;
    });

  const upkeep = async () => {
    if (clock.monotonic() < upkeepDue) return;
    upkeepDue = clock.monotonic() + UPKEEP_MS;
    await db.query('delete from outbox where sent_at < now() - $1::interval', [KEEP_SENT]);
    await db.query('delete from inbox where handled_at < now() - $1::interval', [KEEP_INBOX]);
  };

  const ticker = createTicker({
    name: 'outbox.relay',
    clock,
    logger,
    everyMs: POLL_MS,
    async run(signal) {
      try {
        while (!signal.aborted && (await sendBatch()) === batchSize) failures = 0;
        failures = 0;
        await upkeep();
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
      unlisten = await db.listen(outboxChannel(db.schema), () => ticker.wake());
      ticker.start();
    },
    async stop() {
      stopped = true;
      await ticker.stop();
      const last = unlisten;
      unlisten = undefined;
      await last?.();
    },
    wake: () => ticker.wake(),
  };
}
