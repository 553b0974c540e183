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
import { requireOwn } from './schemas.ts';
import { newestSchema } from './store.ts';

export interface PublishedDraft {
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
        const own = run.map((draft) => toDraft(project, draft));
        made.push(...(await appendEvents(tx, `/team/${project}/${source}`, own, clock)));
      }
      return made;
    });
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

function toDraft(project: string, { type, subject, data, traceparent }: PublishedDraft): TeamEventDraft {
  if (!isTeamType(type)) throw new Problem('event.unknown_type', { detail: `${type} is no type of a team` });
  return { type, subject, project, data, ...(traceparent === undefined ? {} : { traceparent }) };
}
