import { createHash } from 'node:crypto';
import { type AnyEvent, Problem } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { Transaction } from '@skyrun/postgres';
import type { Db } from '../store/tables.ts';

/** How long a publisher may send an event again under the same id, in milliseconds. */
const REPEATABLE_MS = 86_400_000;

/** An event with an id of its publisher's. */
export interface Named {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly data?: unknown;
}

/** What was said when it came first. */
export interface First {
  readonly sequence: number;
  readonly time: string;
}

/**
 * Marks the ids as taken, in the transaction that publishes them. Gives those that had come before with their number; a
 * second request with the same id that comes meanwhile waits for the first.
 * @throws Problem `request.idempotency_conflict` when an id came with another type, subject or data
 */
export async function takeIds(
  tx: Transaction,
  source: string,
  events: readonly Named[],
  now: number,
): Promise<ReadonlyMap<string, First>> {
  const digests = new Map<string, string>();
  for (const event of events) {
    const digest = digestOf(event);
    if ((digests.get(event.id) ?? digest) !== digest) throw reused(event.id);
    digests.set(event.id, digest);
  }
  // In one order everywhere, so that two requests with the same ids do not wait for each other.
  const ids = [...digests.keys()].sort();
  const { rows: taken } = await tx.query<{ event_id: string }>(
    `insert into published (source, event_id, digest, published_at)
     select $1, id, decode(digest, 'hex'), $4 from unnest($2::text[], $3::text[]) as given (id, digest)
     on conflict do nothing returning event_id`,
    [source, ids, ids.map((id) => digests.get(id)), new Date(now)],
  );
  const fresh = new Set(taken.map(({ event_id }) => event_id));
  const before = ids.filter((id) => !fresh.has(id));
  if (before.length === 0) return new Map();
  const { rows } = await tx.query<{ event_id: string; digest: string; sequence: string; time: Date }>(
    `select event_id, encode(digest, 'hex') as digest, sequence, time from published
     where source = $1 and event_id = any($2::text[])`,
    [source, before],
  );
  return new Map(
    rows.map(({ event_id: id, digest, sequence, time }) => {
      if (digest !== digests.get(id)) throw reused(id);
      return [id, { sequence: Number(sequence), time: isoTime(time.getTime()) }];
    }),
  );
}

/** Keeps what they were numbered, for the answer to a repetition. */
export async function keepNumbers(tx: Transaction, events: readonly AnyEvent[]): Promise<void> {
  if (events.length === 0) return;
  await tx.query(
    `update published set sequence = given.sequence, time = given.time
     from unnest($2::text[], $3::bigint[], $4::timestamptz[]) as given (id, sequence, time)
     where source = $1 and event_id = given.id`,
    [events[0]?.source, events.map(({ id }) => id), events.map((e) => e.sequence), events.map((e) => e.time)],
  );
}

export async function forgetIds(db: Db, now: number): Promise<void> {
  await db
    .deleteFrom('published')
    .where('published_at', '<', new Date(now - REPEATABLE_MS))
    .execute();
}

function digestOf({ type, subject, data }: Named): string {
  return createHash('sha256')
    .update(JSON.stringify([type, subject, data]))
    .digest('hex');
}

function reused(id: string): Problem {
  return new Problem('request.idempotency_conflict', {
    detail: `the event id ${id} came with another type, subject or data before; give this event an id of its own`,
  });
}
