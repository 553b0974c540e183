import { type AnyEvent, type EventDraft, parseEvent, type TeamEventDraft } from '@skyrun/contracts';
import { type Clock, isoTime, newId } from '@skyrun/kit';
import type { Transaction } from './transaction.ts';

/**
 * Writes events into the outbox of the transaction's schema: they will be published if, and only if, it commits.
 * Events of one subject are numbered without gaps; transactions that write to the same subject wait for each other.
 * @param source the producing service; `registry` becomes `/skyrun/registry`
 * @throws InvalidEventError when a draft does not fit its schema; nothing is written then
 */
export async function appendEvents(
  tx: Transaction,
  source: string,
  drafts: readonly (EventDraft | TeamEventDraft)[],
  clock: Clock,
): Promise<AnyEvent[]> {
  if (drafts.length === 0) return [];
  const checked = drafts.map((draft) => toEvent(source, draft, clock));
  const [only] = checked;
  const sequences = checked.length === 1 && only ? await appendOne(tx, only) : await appendMany(tx, checked);
  tx.outboxGrew();
  return checked.map((event, index) => ({ ...event, sequence: sequences[index] ?? 0 }));
}

/**
 * One statement each: numbers and rows together. The row of a subject's number stays locked until the commit, and the
 * outbox's own order is drawn after that lock was obtained, so it is the order of the numbers, too.
 */
async function appendOne(tx: Transaction, event: AnyEvent): Promise<number[]> {
  const { rows } = await tx.prepared<{ sequence: string }>(
    'outbox.append',
    `with numbered as (
       insert into event_sequence (subject, last) values ($1, 1)
       on conflict (subject) do update set last = event_sequence.last + 1
       returning last
     )
     insert into outbox (event_id, event, sequence) select $2, $3::json, last from numbered returning sequence`,
    [counterOf(event), event.id, stored(event)],
  );
  return rows.map(({ sequence }) => Number(sequence));
}

/** Counters are taken in one order everywhere, so that two transactions cannot deadlock on them. */
async function appendMany(tx: Transaction, events: readonly AnyEvent[]): Promise<number[]> {
  const { rows } = await tx.query<{ event_id: string; sequence: string }>(
    `with given as (
       select * from unnest($1::text[], $2::text[], $3::json[]) with ordinality as given (counter, event_id, event, place)
     ),
     counts as (select counter, count(*) as count from given group by counter),
     numbered as (
       insert into event_sequence (subject, last) select counter, count from counts order by counter
       on conflict (subject) do update set last = event_sequence.last + excluded.last
       returning subject, last
     )
     insert into outbox (event_id, event, sequence)
     select event_id, event, last - count + row_number() over (partition by counter order by place)
     from given join counts using (counter) join numbered on numbered.subject = counter
     order by place
     returning event_id, sequence`,
    [events.map(counterOf), events.map(({ id }) => id), events.map(stored)],
  );
  const sequences = new Map(rows.map(({ event_id, sequence }) => [event_id, Number(sequence)]));
  return events.map(({ id }) => sequences.get(id) ?? 0);
}

/** Without its number, which stands beside it. */
function stored({ sequence: _, ...event }: AnyEvent): string {
  return JSON.stringify(event);
}

function toEvent(source: string, draft: EventDraft | TeamEventDraft, clock: Clock): AnyEvent {
  const { type, subject, project, data, traceparent } = draft;
  return parseEvent({
    specversion: '1.0',
    id: ('id' in draft ? draft.id : undefined) ?? newId('event', clock),
    source: source.startsWith('/') ? source : `/skyrun/${source}`,
    type,
    subject,
    time: isoTime(clock.now()),
    datacontenttype: 'application/json',
    ...(project === undefined ? {} : { project }),
    ...(traceparent === undefined ? {} : { traceparent }),
    sequence: 0,
    data,
  });
}

/** A schema is one source, but for teams that publish through the API: there each has subjects of its own. */
function counterOf({ source, subject }: AnyEvent): string {
  return source.startsWith('/team/') ? `${source} ${subject}` : subject;
}
