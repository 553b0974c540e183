import { OPERATIONS, Problem, type ServiceMap } from '@skyrun/contracts';
import { type Api, type Call, createApi, HANDLED } from '@skyrun/kit';
import type { DeadLetterDesk } from './dead-letters/desk.ts';
import { bindDeadLetters } from './dead-letters/routes.ts';
import { bindSubscriptions } from './push/routes.ts';
import type { Subscriptions } from './push/subscriptions.ts';
import { encodeCursor } from './query/cursor.ts';
import { type HistoryFilter, type HistoryQuery, toFilter, toLiveFilter } from './query/filter.ts';
import { bindRegistrations, type RegistrationRoutes } from './registrations/routes.ts';
import { bindSchemas, type SchemaRoutes } from './schemas/routes.ts';
import { type LoggedEvent, readHistory } from './store/read.ts';
import type { Db } from './store/tables.ts';
import type { Streams } from './stream/streams.ts';

export interface RoutesDeps extends Omit<SchemaRoutes, 'requireStarted'>, Omit<RegistrationRoutes, 'requireStarted'> {
  /** Runs in a transaction that is bounded in time. */
  readonly read: <T>(work: (db: Db) => Promise<T>) => Promise<T>;
  readonly streams: Streams;
  readonly desk: DeadLetterDesk;
  readonly drawMap: (project: string) => Promise<ServiceMap>;
  readonly subscriptions: () => Subscriptions | null;
  /** @throws Problem `platform.unavailable` */
  readonly requireStarted: () => void;
}

export function createRoutes(deps: RoutesDeps): Api {
  const { read, streams, desk, subscriptions, requireStarted } = deps;
  const api = createApi();
  const list = async (query: HistoryQuery, project: string | null) => {
    requireStarted();
    const filter = toFilter(query, project);
    const events = await read((db) => readHistory(db, filter)).catch((error: unknown) => refuseSlow(error));
    return toPage(events, filter);
  };
  api.handle(OPERATIONS.listProjectEvents, ({ params, query }) => list(query, params.project));
  api.handle(OPERATIONS.listEvents, ({ query }) => list(query, null));

  const stream = async (
    { query, caller, headers, response, signal }: StreamCall,
    project: string | null,
  ): Promise<typeof HANDLED> => {
    requireStarted();
    if (!caller) throw new Problem('auth.required');
    const last = headers['last-event-id'];
    const after = typeof last === 'string' && last !== '' ? last : query.after;
    await streams.serve({ response, caller, filter: toLiveFilter(query, project), after, signal });
    return HANDLED;
  };
  api.handle(OPERATIONS.streamProjectEvents, (call) => stream(call, call.params.project));
  api.handle(OPERATIONS.streamEvents, (call) => stream(call, null));
  bindDeadLetters(api, desk);
  bindSubscriptions(api, subscriptions);
  bindRegistrations(api, deps);
  bindSchemas(api, deps);
  api.handle(OPERATIONS.getServiceMap, ({ params }) => {
    requireStarted();
    return deps.drawMap(params.project);
  });
  return api;
}

interface StreamCall extends Pick<Call<never, never, never>, 'caller' | 'headers' | 'response' | 'signal'> {
  readonly query: {
    readonly type?: string | undefined;
    readonly subject?: string | undefined;
    readonly after?: string | undefined;
  };
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
