import { once, type Queryable } from '@skyrun/postgres';

/** What makes an event the same event: `source` + `id`. */
export interface EventIdentity {
  readonly source: string;
  readonly id: string;
}

/**
 * Runs `effect` once per event and consumer, however often the event is delivered. The mark and the effect are one: both are
 * written through `tx`, so they commit together or not at all. Returns false if it was done before.
 * @param tx a transaction that is open: Skyrun's, or a client of `pg` after `begin`. Outside of a transaction it protects nothing.
 * @param consumer names who applies the effect; one event may have one effect for each
 */
export async function applyOnce<Tx extends Queryable>(
  tx: Tx,
  consumer: string,
  event: EventIdentity,
  effect: (tx: Tx) => Promise<void>,
): Promise<boolean> {
  if (!(await once(tx, consumer, event))) return false;
  await effect(tx);
  return true;
}

/** For services that do not migrate with `createDatabase(…).migrate`: makes the table that `applyOnce` marks in. Repeatable. */
export async function createInboxTable(db: Queryable): Promise<void> {
  await db.query(`create table if not exists inbox (
    consumer text not null,
    source text not null,
    event_id text not null,
    handled_at timestamptz not null default now(),
    primary key (consumer, source, event_id)
  )`);
}
