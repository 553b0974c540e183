import { type Clock, newId } from '@skyrun/kit';
import { readLog } from '../store/read.ts';
import type { Db } from '../store/tables.ts';
import { claimUnqueued, dropOldDeliveries, findOverdue, insertDeliveries, unqueue } from './delivery-store.ts';
import { takes } from './match.ts';
import { allSubscriptions } from './subscription-store.ts';

const BATCH = 500;
/** Deliveries of one subscription that are in the queue and due. */
const WINDOW = 16;
const OVERDUE_MS = 60_000;
const DAY_MS = 86_400_000;

export interface DispatcherOptions {
  readonly inTransaction: <T>(work: (db: Db) => Promise<T>) => Promise<T>;
  /** Tells the queue; one that it knows already is left as it is. */
  readonly enqueue: (ids: readonly string[]) => Promise<void>;
  readonly clock: Clock;
}

/**
 * Hands the log out to the subscriptions: deliveries and progress are one transaction, so each event becomes one delivery of
 * each subscription that takes it, whoever dies when. The queue is told afterwards, and told again of what it lost.
 */
export function createDispatcher({ inTransaction, enqueue, clock }: DispatcherOptions) {
  /** Returns whether there is more. */
  async function fanOut(): Promise<boolean> {
    return inTransaction(async (db) => {
      const progress = await db
        .selectFrom('push_progress')
        .select('position')
        .forUpdate()
        .skipLocked()
        .executeTakeFirst();
      // Another replica is at it.
      if (!progress) return false;
      const events = await readLog(db, { after: BigInt(progress.position), until: null, project: null, limit: BATCH });
      const last = events.at(-1);
      if (!last) return false;
      const subscriptions = await allSubscriptions(db);
      const deliveries = events.flatMap(({ position, event }) =>
        subscriptions
          .filter(
            ({ project, fromPosition, filter }) =>
              event.project === project && position > fromPosition && takes(filter, event),
          )
          .map(({ id }) => ({ id: newId('delivery', clock), subscriptionId: id, kind: 'event' as const, event })),
      );
      for (let from = 0; from < deliveries.length; from += BATCH) {
        await insertDeliveries(db, deliveries.slice(from, from + BATCH), clock.now());
      }
      await db.updateTable('push_progress').set({ position: last.position.toString() }).execute();
      return events.length === BATCH;
    });
  }

  async function tellQueue(): Promise<void> {
    // A crash after the claim leaves them overdue, which is found later.
    const ids = await inTransaction((db) => claimUnqueued(db, WINDOW, clock.now()));
    if (ids.length === 0) return;
    try {
      await enqueue(ids);
    } catch (error) {
      // The queue is away: they are claimed again as soon as it is back.
      await inTransaction((db) => unqueue(db, ids));
      throw error;
    }
  }

  return {
    async run(signal: AbortSignal): Promise<void> {
      while (!signal.aborted && (await fanOut()));
      if (!signal.aborted) await tellQueue();
    },
    async sweep(): Promise<void> {
      const now = clock.now();
      const overdue = await inTransaction((db) => findOverdue(db, now - OVERDUE_MS, BATCH));
      if (overdue.length > 0) await enqueue(overdue);
      await inTransaction((db) =>
        dropOldDeliveries(db, { deliveredBefore: now - 7 * DAY_MS, deadBefore: now - 30 * DAY_MS }),
      );
    },
  };
}
