import { OPERATIONS, Problem } from '@skyrun/contracts';
import { type Api, createApi } from '@skyrun/kit';
import { encodeCursor } from './query/cursor.ts';
import { type HistoryFilter, type HistoryQuery, toFilter } from './query/filter.ts';
import { type LoggedEvent, readHistory } from './store/read.ts';
import type { Db } from './store/tables.ts';

/** `read` runs in a transaction that is bounded in time. */
export function createRoutes(read: <T>(work: (db: Db) => Promise<T>) => Promise<T>): Api {
  const api = createApi();
  const list = async (query: HistoryQuery, project: string | null) => {
    const filter = toFilter(query, project);
    const events = await read((db) => readHistory(db, filter)).catch((error: unknown) => refuseSlow(error));
    return toPage(events, filter);
  };
  api.handle(OPERATIONS.listProjectEvents, ({ params, query }) => list(query, params.project));
  api.handle(OPERATIONS.listEvents, ({ query }) => list(query, null));
  return api;
}

function toPage(events: readonly LoggedEvent[], { limit }: HistoryFilter) {
  const shown = events.slice(0, limit);
  const last = shown.at(-1);
  const more = events.length > limit && last !== undefined;
  return {
    items: shown.map(({ event }) => event),
    nextCursor: more ? encodeCursor({ time: last.time, position: last.position.toString() }) : null,
  };
}

const QUERY_CANCELED = '57014';

function refuseSlow(error: unknown): never {
  if (error instanceof Error && 'code' in error && error.code === QUERY_CANCELED) {
    throw new Problem('platform.unavailable', {
      detail: 'the search took too long; narrow it by type, subject or time',
      cause: error,
    });
  }
  throw error;
}
