import { InvalidEventError, Problem, type TypeSet, typeSet } from '@skyrun/contracts';
import { decodeCursor, type HistoryCursor } from './cursor.ts';

/** The query of the list operations, as checked by their schema. */
export interface HistoryQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly text?: string | undefined;
}

export interface HistoryFilter {
  /** Null: of the whole installation. */
  readonly project: string | null;
  /** Null: all types. */
  readonly types: TypeSet | null;
  readonly subjectPrefix: string | null;
  /** Unix milliseconds, inclusive. */
  readonly since: number | null;
  /** Unix milliseconds, exclusive. */
  readonly until: number | null;
  readonly text: string | null;
  readonly before: HistoryCursor | null;
  readonly limit: number;
}

/** @throws Problem `request.invalid`, naming the field */
export function toFilter(query: HistoryQuery, project: string | null): HistoryFilter {
  const since = query.since === undefined ? null : Date.parse(query.since);
  const until = query.until === undefined ? null : Date.parse(query.until);
  if (since !== null && until !== null && since >= until) invalid('until', 'must be later than since');
  for (const field of ['subject', 'text'] as const) {
    // PostgreSQL has no text with a zero byte.
    if (query[field]?.includes('\0')) invalid(field, 'must not hold a zero byte');
  }
  return {
    project,
    types: query.type === undefined ? null : typesOf(query.type),
    subjectPrefix: query.subject ?? null,
    since,
    until,
    text: query.text === undefined || query.text === '' ? null : query.text,
    before: query.cursor === undefined ? null : decodeCursor(query.cursor),
    limit: query.limit,
  };
}

/** What a live stream asks for. */
export interface LiveFilter {
  readonly project: string | null;
  readonly types: TypeSet | null;
  readonly subjectPrefix: string | null;
}

/** @throws Problem `request.invalid`, naming the field */
export function toLiveFilter(
  query: { readonly type?: string | undefined; readonly subject?: string | undefined },
  project: string | null,
): LiveFilter {
  return {
    project,
    types: query.type === undefined ? null : typesOf(query.type),
    subjectPrefix: query.subject ?? null,
  };
}

export function isWanted(
  { project, types, subjectPrefix }: LiveFilter,
  event: { readonly type: string; readonly subject: string; readonly project?: string | undefined },
): boolean {
  return (
    (project === null || event.project === project) &&
    (types === null || types.has(event.type)) &&
    (subjectPrefix === null || event.subject.startsWith(subjectPrefix))
  );
}

function typesOf(pattern: string): TypeSet {
  try {
    return typeSet([pattern]);
  } catch (error) {
    if (!(error instanceof InvalidEventError)) throw error;
    return invalid('type', 'no event type matches; expected one such as skyrun.instance.* or team.shop.*');
  }
}

function invalid(field: string, message: string): never {
  throw new Problem('request.invalid', {
    detail: `#query/${field}: ${message}`,
    errors: [{ field: `#query/${field}`, message }],
  });
}
