import type { Queryable } from './queryable.ts';

/** What makes an event the same event: CloudEvents says `source` + `id`. */
export interface EventIdentity {
  readonly source: string;
  readonly id: string;
}

/**
 * Marks the event as done by `consumer`, in the transaction of its effect. False: it was done before, so do nothing.
 * Two transactions with the same event: the second waits, and goes on only if the first rolled back.
 */
export async function once(tx: Queryable, consumer: string, event: EventIdentity): Promise<boolean> {
  const { rowCount } = await tx.query(
    'insert into inbox (consumer, source, event_id) values ($1, $2, $3) on conflict do nothing',
    [consumer, event.source, event.id],
  );
  return rowCount === 1;
}
