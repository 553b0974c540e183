import {
  type AnyEvent,
  type DataSchema,
  dataIssues,
  type FieldError,
  isTeamType,
  Problem,
  type TeamEventDraft,
} from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import { appendEvents, type Transaction } from '@skyrun/postgres';
import type { EventsTables } from '../store/tables.ts';
import { type First, keepNumbers, takeIds } from './published.ts';
import { requireOwn } from './schemas.ts';
import { newestSchema } from './store.ts';

export interface PublishedDraft {
  /** The publisher's own; sent again within a day, it is the same event. */
  readonly id?: string | undefined;
  readonly type: string;
  readonly subject: string;
  readonly data?: unknown;
  readonly source: string;
  readonly traceparent?: string | undefined;
}

export interface PublishDeps {
  readonly transaction: <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;
  readonly clock: Clock;
}

/**
 * Takes a team's events into the outbox, all or none. Once this resolves they will reach every consumer, whoever dies.
 * @throws Problem `event.unknown_type`, `event.invalid_data` naming the event and the place in it
 */
export function createPublish({ transaction, clock }: PublishDeps) {
  return (project: string, drafts: readonly PublishedDraft[]): Promise<AnyEvent[]> =>
    transaction(async (tx) => {
      const schemas = new Map<string, DataSchema>();
      for (const { type } of drafts) {
        requireOwn(project, type);
        if (schemas.has(type)) continue;
        const known = await newestSchema(tx.kysely<EventsTables>(), type);
        if (!known) throw new Problem('event.unknown_type', { detail: `register a schema of ${type} first` });
        schemas.set(type, known.schema);
      }
      requireFit(drafts, schemas);
      const made: AnyEvent[] = [];
      for (const { source, run } of runsOfSource(drafts)) {
        made.push(...(await publishRun(tx, project, source, run, clock)));
      }
      return made;
    });
}

/** What came before under the same id is not published again, and answered as it was then. */
async function publishRun(
  tx: Transaction,
  project: string,
  origin: string,
  run: readonly PublishedDraft[],
  clock: Clock,
): Promise<AnyEvent[]> {
  const source = `/team/${project}/${origin}`;
  const named = run.flatMap((draft) => (draft.id === undefined ? [] : [{ ...draft, id: draft.id }]));
  const before = named.length === 0 ? new Map<string, First>() : await takeIds(tx, source, named, clock.now());
  const given = new Set(before.keys());
  const fresh = run.filter(({ id }) => {
    if (id === undefined) return true;
    const first = !given.has(id);
    given.add(id);
    return first;
  });
  const drafts = fresh.map((draft) => toDraft(project, draft));
  const made = await appendEvents(tx, source, drafts, clock);
  if (named.length === 0) return made;
  await keepNumbers(
    tx,
    made.filter((_, index) => fresh[index]?.id !== undefined),
  );
  const byId = new Map(made.map((event) => [event.id, event]));
  const unnamed = made.filter((_, index) => fresh[index]?.id === undefined).values();
  return run.map((draft) => {
    if (draft.id === undefined) return unnamed.next().value ?? unanswered(draft.subject);
    const known = byId.get(draft.id);
    if (known) return known;
    const first = before.get(draft.id) ?? unanswered(draft.id);
    return { ...envelope(source, project, draft), id: draft.id, ...first };
  });
}

function envelope(source: string, project: string, draft: PublishedDraft) {
  const { type, subject, data } = toDraft(project, draft);
  return { specversion: '1.0', source, type, subject, project, datacontenttype: 'application/json', data } as const;
}

function unanswered(what: string): never {
  throw new Error(`${what} was published and has no number`);
}

function requireFit(drafts: readonly PublishedDraft[], schemas: ReadonlyMap<string, DataSchema>): void {
  const errors: FieldError[] = drafts.flatMap(({ type, data }, index) => {
    const schema = schemas.get(type);
    if (!schema) return [];
    return dataIssues(schema, data).map(({ path, message }) => ({ field: `/events/${index}/data${path}`, message }));
  });
  if (errors.length === 0) return;
  const detail = errors.map(({ field, message }) => `${field} ${message}`).join('; ');
  throw new Problem('event.invalid_data', { detail, errors });
}

/** In the order given: each source numbers its own. */
function runsOfSource(drafts: readonly PublishedDraft[]) {
  const runs: { source: string; run: PublishedDraft[] }[] = [];
  for (const draft of drafts) {
    const last = runs.at(-1);
    if (last?.source === draft.source) last.run.push(draft);
    else runs.push({ source: draft.source, run: [draft] });
  }
  return runs;
}

function toDraft(project: string, { id, type, subject, data, traceparent }: PublishedDraft): TeamEventDraft {
  if (!isTeamType(type)) throw new Problem('event.unknown_type', { detail: `${type} is no type of a team` });
  return {
    type,
    subject,
    project,
    data,
    ...(id === undefined ? {} : { id }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}
