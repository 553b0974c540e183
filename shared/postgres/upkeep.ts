import type { Logger } from '@skyrun/kit';
import type { Database } from './database.ts';
import { sqlState } from './errors.ts';

/** Longer than any redelivery or replay is to be expected. */
const KEEP_INBOX = '90 days';
/** Marks in one statement: its locks and its share of the log stay small. */
const INBOX_BATCH = 10_000;
const LOCK_NOT_AVAILABLE = '55P03';

/** Makes room: sent outbox rows by the part, inbox marks behind the watermark. */
export async function upkeep(db: Database, logger: Logger): Promise<void> {
  await emptyNextSlot(db).catch((error: unknown) => {
    // Somebody reads or writes there just now; it has two hours' time.
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
    logger.debug({ schema: db.schema, error }, 'the next part of the outbox is in use');
  });
  await db.query(
    `delete from inbox where ctid = any(array(
       select ctid from inbox where handled_at < now() - $1::interval order by handled_at limit $2))`,
    [KEEP_INBOX, INBOX_BATCH],
  );
}

/**
 * Empties the part that comes next, whose rows are one to two hours old, unless one of them is not sent yet. Then it goes on
 * being filled, and is emptied at its next turn.
 */
async function emptyNextSlot(db: Database): Promise<void> {
  const { rows } = await db.query<{ slot: number }>(
    `select ((floor(extract(epoch from now()) / 3600)::bigint + 1) % 3)::int as slot`,
  );
  const part = `outbox_slot_${rows[0]?.slot ?? 0}`;
  const { rows: found } = await db.query(`select 1 from ${part} limit 1`);
  if (found.length === 0) return;
  await db.transaction(async (tx) => {
    await tx.query(`set local lock_timeout = '100ms'`);
    await tx.query(`lock table ${part} in access exclusive mode`);
    const { rows: unsent } = await tx.query(`select 1 from ${part} where sent_at is null limit 1`);
    if (unsent.length === 0) await tx.query(`truncate ${part}`);
  });
}
