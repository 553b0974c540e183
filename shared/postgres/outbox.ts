import { type AnyEvent, type EventDraft, parseEvent, type TeamEventDraft } from '@skyrun/contracts';
import { type Clock, isoTime, newId } from '@skyrun/kit';
import type { Queryable } from './queryable.ts';

/** The channel that wakes the relay of the schema at hand. */
export const outboxChannel = (schema: string) => `skyrun_outbox_${schema}`;

/**
 * Writes events into the outbox of the transaction's schema: they will be published if, and only if, it commits.
 * Events of one subject are numbered without gaps; transactions that write to the same subject wait for each other.
 * @param source the producing service; `registry` becomes `/skyrun/registry`
 * @throws InvalidEventError when a draft does not fit its schema; nothing is written then
 */
export async function appendEvents(
  tx: Queryable,
  source: string,
  drafts: readonly (EventDraft | TeamEventDraft)[],
  clock: Clock,
): Promise<AnyEvent[]> {
  if (drafts.length === 0) return [];
  const checked = drafts.map((draft) => toEvent(source, draft, clock));
  const last = await nextSequences(tx, checked);
  const events = checked.map((event) => {
    const sequence = last.get(counterOf(event)) ?? 0;
    last.set(counterOf(event), sequence + 1);
    return { ...event, sequence };
  });
  await tx.query(
    `insert into outbox (event_id, event)
     select event_id, event
     from unnest($1::text[], $2::jsonb[]) with ordinality as given (event_id, event, place)
     order by place`,
    [events.map((event) => event.id), events.map((event) => JSON.stringify(event))],
  );
  // PostgreSQL sends equal notifications of one transaction once, at commit.
  await tx.query(`select pg_notify('skyrun_outbox_' || current_schema(), '')`);
  return events;
}

function toEvent(source: string, draft: EventDraft | TeamEventDraft, clock: Clock): AnyEvent {
  const { type, subject, project, data, traceparent } = draft;
  return parseEvent({
    specversion: '1.0',
    id: newId('event', clock),
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

/** Reserves numbers and returns the first one of each subject; sorted, so that two transactions cannot deadlock on them. */
async function nextSequences(tx: Queryable, events: readonly AnyEvent[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const event of events) counts.set(counterOf(event), (counts.get(counterOf(event)) ?? 0) + 1);
  const subjects = [...counts.keys()].sort();
  const { rows } = await tx.query<{ subject: string; last: string }>(
    `insert into event_sequence (subject, last)
     select * from unnest($1::text[], $2::bigint[]) as given (subject, last)
     on conflict (subject) do update set last = event_sequence.last + excluded.last
     returning subject, last`,
    [subjects, subjects.map((subject) => counts.get(subject) ?? 0)],
  );
  return new Map(rows.map(({ subject, last }) => [subject, Number(last) - (counts.get(subject) ?? 0) + 1]));
}

/** A schema is one source, but for teams that publish through the API: there each has subjects of its own. */
function counterOf({ source, subject }: AnyEvent): string {
  return source.startsWith('/team/') ? `${source} ${subject}` : subject;
}
