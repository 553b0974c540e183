import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Clock } from '@skyrun/kit';
import { changesAfter, type KubernetesTables, readClock, type StoredChange } from '../store/kubernetes.ts';
import { type JsonObject, objectAt, texts } from './json.ts';
import { apiVersionOf, type Kind } from './kinds.ts';
import type { Form } from './negotiate.ts';
import { shownObject, versioned } from './present.ts';
import { listAtOneMoment, type ReadDeps, type Selection, scopeOf } from './read-objects.ts';
import { matchesFields } from './selectors.ts';
import { badRequest, expired, type StatusError, statusOf } from './status.ts';
import { type IncludeObject, partialOf, tableOf } from './table.ts';
import type { WatchHub } from './watch-hub.ts';

export interface WatchRequest {
  readonly kind: Kind;
  readonly selection: Selection;
  readonly form: Form;
  readonly include: IncludeObject;
  /** Empty or `0`: begin with what there is. */
  readonly resourceVersion: string;
  readonly sendInitialEvents: boolean;
  readonly bookmarks: boolean;
  /** Milliseconds until it ends. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface WatchDeps extends ReadDeps {
  readonly hub: WatchHub;
  readonly clock: Clock;
  /** Between two bookmarks, in milliseconds. */
  readonly bookmarkMs: number;
}

const BATCH = 500;

/** Writes events, one JSON object a line, until the client, the time or the process ends. */
export async function watchObjects(request: WatchRequest, response: ServerResponse, deps: WatchDeps): Promise<void> {
  const { kind, selection, resourceVersion, sendInitialEvents } = request;
  const watcher = deps.hub.join(kind.kind);
  try {
    const clock = await deps.book.refresh(scopeOf(selection.projects), [kind.kind]);
    const fromNow = resourceVersion === '' || resourceVersion === '0';
    const since = fromNow ? null : versionOf(resourceVersion);
    if (since !== null && !sendInitialEvents && (since < clock.keptAfter || since > clock.version)) {
      throw expired(`too old resource version: ${since} (${clock.keptAfter})`);
    }
    const writer = createWriter(request, response, deps.clock);
    let cursor = since ?? 0n;
    if (fromNow || sendInitialEvents) {
      const { objects, version } = await listAtOneMoment(deps, kind, selection);
      for (const object of objects) await writer.event('ADDED', shownObject(object));
      cursor = version;
      if (sendInitialEvents) await writer.bookmark(cursor, true);
    }
    await follow(request, writer, cursor, { ...deps, watcher });
    response.end();
  } catch (error) {
    if (!request.signal.aborted && !deps.hub.signal.aborted) throw error;
    response.end();
  } finally {
    watcher.close();
  }
}

async function follow(
  request: WatchRequest,
  writer: Writer,
  from: bigint,
  deps: WatchDeps & { readonly watcher: ReturnType<WatchHub['join']> },
): Promise<void> {
  const { db, clock, bookmarkMs, watcher } = deps;
  const signal = AbortSignal.any([request.signal, deps.hub.signal]);
  const store = db.kysely<KubernetesTables>();
  const { kind, selection } = request;
  const filter = { kind: kind.kind, projects: selection.projects, name: selection.fields.name };
  const endsAt = clock.monotonic() + request.timeoutMs;
  let bookmarkAt = clock.monotonic() + bookmarkMs;
  let cursor = from;
  for (;;) {
    // Read before the changes: what the clock says has been written when they are read.
    const reading = await readClock(store);
    if (cursor < reading.keptAfter) {
      await writer.error(expired(`too old resource version: ${cursor} (${reading.keptAfter})`));
      return;
    }
    const changes = await changesAfter(store, cursor, filter, BATCH);
    for (const change of changes) {
      const type = seenAs(change, selection);
      if (type !== null) await writer.event(type, versioned(change.object, change.version));
      cursor = change.version;
    }
    if (changes.length === BATCH) continue;
    if (reading.version > cursor) cursor = reading.version;
    const now = clock.monotonic();
    if (request.bookmarks && now >= bookmarkAt) {
      await writer.bookmark(cursor, false);
      bookmarkAt = now + bookmarkMs;
    }
    if (now >= endsAt) return;
    const pause = Math.min(endsAt, request.bookmarks ? bookmarkAt : Number.POSITIVE_INFINITY) - now;
    await watcher.next(Math.max(1, pause), signal);
  }
}

/** What a change is to a watcher that selects by labels: an object can come into sight, or leave it, without being new or gone. */
function seenAs(change: StoredChange, selection: Selection): StoredChange['type'] | null {
  if (!matchesFields(selection.fields, change)) return null;
  const now = change.type !== 'DELETED' && selection.labels(texts(objectAt(change.object, 'metadata', 'labels')));
  const before = change.previousLabels !== null && selection.labels(texts(change.previousLabels));
  if (now) return before ? 'MODIFIED' : 'ADDED';
  return before ? 'DELETED' : null;
}

function versionOf(text: string): bigint {
  if (!/^\d{1,18}$/.test(text))
    throw badRequest(`resourceVersion: expected a version that was given before, got ${text}`);
  return BigInt(text);
}

interface Writer {
  event(type: string, object: JsonObject): Promise<void>;
  bookmark(version: bigint, initialEventsEnd: boolean): Promise<void>;
  error(error: StatusError): Promise<void>;
}

function createWriter(request: WatchRequest, response: ServerResponse, clock: Clock): Writer {
  const { kind, form, include, signal } = request;
  let defined = false;
  response.statusCode = 200;
  response.setHeader('content-type', 'application/json');
  response.setHeader('cache-control', 'no-cache, private');
  response.flushHeaders();

  async function write(type: string, object: JsonObject): Promise<void> {
    signal.throwIfAborted();
    if (!response.write(`${JSON.stringify({ type, object })}\n`)) await once(response, 'drain', { signal });
  }
  function table(objects: readonly JsonObject[], metadata: JsonObject): JsonObject {
    const shown = tableOf(objects, { columns: kind.columns, include, now: clock.now(), continued: defined, metadata });
    defined = true;
    return shown;
  }

  return {
    event(type, object) {
      if (form.as === 'Table') {
        return write(type, table([object], { resourceVersion: objectAt(object, 'metadata')['resourceVersion'] ?? '' }));
      }
      return write(type, form.as === null ? object : partialOf(object));
    },
    bookmark(version, initialEventsEnd) {
      const metadata: JsonObject = {
        resourceVersion: version.toString(),
        creationTimestamp: null,
        ...(initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
      };
      if (form.as === 'Table') return write('BOOKMARK', table([], metadata));
      const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata };
      return write('BOOKMARK', form.as === null ? object : partialOf(object));
    },
    error: (error) => write('ERROR', statusOf(error, { resource: kind.plural })),
  };
}
