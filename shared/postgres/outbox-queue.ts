import type { AnyEvent } from '@skyrun/contracts';
import type { Transaction } from './transaction.ts';

export interface OutboxBatch {
  /** Another relay is at work; there may be more to send. */
  readonly busy: boolean;
  readonly events: readonly AnyEvent[];
  readonly ids: readonly string[];
  /** Every row up to here was visible, or never will be, when the batch was read. */
  readonly settled: bigint;
  /** The last row that had been numbered when the batch was read. */
  readonly last: bigint;
  /** Set when the batch is marked: transactions begun before `last` was read have smaller numbers. */
  transaction: bigint | null;
}

export interface OutboxQueue {
  /** In order: everything of a subject before what follows it. */
  claim(tx: Transaction): Promise<OutboxBatch>;
  markSent(tx: Transaction, batch: OutboxBatch): Promise<void>;
  committed(batch: OutboxBatch): void;
}

/** PostgreSQL ends a relay's session that has stood still for so long with the lock in its hand. */
const STANDSTILL = '30s';

/**
 * The unsent rows of the outbox, from the front. Sent rows leave dead entries at the front of the index, and reading past a
 * million of them costs more with every batch. So the queue remembers a floor, below which everything is sent for certain:
 *
 * Rows are numbered when they are written and seen when they are committed, so a lower number may come into sight after a
 * higher one. When every transaction that was under way at some moment has ended, everything numbered by then is in
 * sight (`settled`), and the floor may rise to what was sent of that.
 */
export function createOutboxQueue(batchSize: number): OutboxQueue {
  let floor = 0n;
  let settled = 0n;
  let pending: { readonly last: bigint; readonly transaction: bigint } | null = null;

  return {
    async claim(tx) {
      const { rows: state } = await tx.query<{ taken: boolean; last: string; oldest: string }>(
        `select pg_try_advisory_xact_lock(hashtextextended('skyrun.relay.' || current_schema(), 0)) as taken,
                (select last_value from outbox_order) as last,
                pg_snapshot_xmin(pg_current_snapshot())::text as oldest,
                set_config('idle_in_transaction_session_timeout', '${STANDSTILL}', true)`,
      );
      const last = BigInt(state[0]?.last ?? 0);
      if (!state[0]?.taken) return { busy: true, events: [], ids: [], settled, last, transaction: null };
      // Another database than before, from a backup perhaps.
      if (last < floor) [floor, settled, pending] = [0n, 0n, null];
      if (pending && BigInt(state[0].oldest) > pending.transaction) {
        settled = pending.last;
        pending = null;
      }
      const { rows } = await tx.query<{ id: string; event: Omit<AnyEvent, 'sequence'>; sequence: string | null }>(
        'select id, event, sequence from outbox where sent_at is null and id > $1 order by id limit $2',
        [String(floor), batchSize],
      );
      const events = rows.map(
        ({ event, sequence }) => (sequence === null ? event : { ...event, sequence: Number(sequence) }) as AnyEvent,
      );
      return { busy: false, events, ids: rows.map(({ id }) => id), settled, last, transaction: null };
    },

    async markSent(tx, batch) {
      const { rows } = await tx.query<{ transaction: string }>(
        `with marked as (update outbox set sent_at = now() where id = any($1::bigint[]) and sent_at is null)
         select pg_current_xact_id()::text as transaction`,
        [batch.ids],
      );
      batch.transaction = BigInt(rows[0]?.transaction ?? 0);
    },

    committed(batch) {
      const sent = BigInt(batch.ids.at(-1) ?? 0);
      // A batch that was not full has reached the end of what was in sight.
      const done = batch.ids.length < batchSize ? batch.settled : sent < batch.settled ? sent : batch.settled;
      if (batch.ids.length > 0 && done > floor) floor = done;
      if (batch.transaction !== null) pending ??= { last: batch.last, transaction: batch.transaction };
    },
  };
}
