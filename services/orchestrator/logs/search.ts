import type { LogFilter, LogLine } from '@skyrun/contracts';
import { type Clock, isoTime, type Logger } from '@skyrun/kit';
import type { Runtime } from '../runtime/runtime.ts';
import type { ChunkQuery, LogPosition, LogStore, StoredChunk } from '../store/log-store.ts';
import type { Reads, ServiceQuery } from '../store/reads.ts';
import { unpackLines } from './chunk.ts';
import { concerns, createMatcher, type InstanceLine, placeOf, toLogLine } from './match.ts';

export interface LogSources {
  readonly reads: Reads;
  readonly logs: LogStore;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface LogSearch extends ServiceQuery, LogFilter {
  readonly limit: number;
  /** Only lines whose place is before this one. */
  readonly before?: string;
}

export interface LogPage {
  /** Newest first. */
  readonly lines: InstanceLine[];
  /** `before` of the next page; null when there is nothing older. */
  readonly next: string | null;
}

const BATCH = 16;
/** Unpacked text that one request looks through; about a tenth of a second. */
const MOST_CHARACTERS = 48 * 1024 * 1024;

/**
 * The newest matching lines. Chunks are read in the order in which they end; a line can be told once it is younger than
 * the end of every chunk that is still unread.
 */
export async function searchLogs(
  { logs }: Pick<LogSources, 'logs'>,
  search: LogSearch,
  unsaved: readonly InstanceLine[],
): Promise<LogPage> {
  const { limit, before } = search;
  const matches = createMatcher(search);
  const isWanted = (line: InstanceLine) => (before === undefined || placeOf(line) < before) && matches(line);
  const told: InstanceLine[] = [];
  let waiting = unsaved.filter(isWanted);
  let characters = 0;

  /** Whether the page is full. */
  const tellAfter = (time: number): boolean => {
    const sorted = waiting.toSorted((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1));
    waiting = [];
    for (const line of sorted) {
      const last = told.at(-1);
      // Stored between our looking at the engine and at the store: it is there twice.
      if (last && placeOf(last) === placeOf(line)) continue;
      if (line.at > time && told.length < limit) told.push(line);
      else waiting.push(line);
    }
    return told.length >= limit;
  };
  const nextAfter = (line: InstanceLine | undefined) => (line ? placeOf(line) : null);

  for await (const chunk of chunksOf(logs, search)) {
    if (tellAfter(chunk.lastAt)) return { lines: told, next: nextAfter(told.at(-1)) };
    // All that is younger than this chunk's end was told: the next page goes on with it.
    if (characters > MOST_CHARACTERS) return { lines: told, next: placeAfter(chunk.lastAt) };
    for (const line of await unpackLines(chunk.body)) {
      characters += line.text.length;
      const own = { ...line, instanceId: chunk.instanceId, revisionName: chunk.revisionName };
      if (isWanted(own)) waiting.push(own);
    }
  }
  const full = tellAfter(Number.NEGATIVE_INFINITY);
  return { lines: told, next: full && waiting.length > 0 ? nextAfter(told.at(-1)) : null };
}

/** Beyond every line of that millisecond, before every later one. */
function placeAfter(at: number): string {
  return isoTime(at).replace('Z', '~');
}

async function* chunksOf(logs: LogStore, search: LogSearch): AsyncIterable<StoredChunk> {
  const ends = [search.until, search.before?.slice(0, 23).concat('Z')].filter((text) => text !== undefined);
  const until = ends.map((text) => Date.parse(text)).reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const query: ChunkQuery = {
    project: search.project,
    service: search.service,
    ...(search.instance === undefined ? {} : { instance: search.instance }),
    ...(search.revision === undefined ? {} : { revision: search.revision }),
    ...(search.since === undefined ? {} : { since: Date.parse(search.since) }),
    ...(Number.isFinite(until) ? { until } : {}),
  };
  let last: StoredChunk | undefined;
  for (;;) {
    const batch = await logs.chunks(query, BATCH, last);
    yield* batch;
    last = batch.at(-1);
    if (batch.length < BATCH) return;
  }
}

export interface Unsaved {
  readonly lines: InstanceLine[];
  /** Up to where each instance's output was read, stored or not. */
  readonly positions: Map<string, LogPosition>;
}

/** Lines that instances wrote a moment ago, which only the engine has; none where it does not answer. */
export async function unsavedLines(
  { reads, logs, runtime, clock, logger }: LogSources,
  query: ServiceQuery & Pick<LogFilter, 'instance' | 'revision'>,
): Promise<Unsaved> {
  const records = await reads.serviceInstances({ ...query, endedSince: clock.now() });
  const live = records.filter((record) => record.endedAt === null && concerns(query, record));
  const stored = await logs.positions(live.map(({ instanceId }) => instanceId));
  const found = await Promise.all(
    live.map(async ({ instanceId, revisionName }) => {
      const lines: InstanceLine[] = [];
      const position = { ...(stored.get(instanceId) ?? { stdout: '', stderr: '' }) };
      const from = [position.stdout, position.stderr].filter((text) => text !== '').toSorted()[0];
      const since = from === undefined ? {} : { since: Date.parse(from) };
      try {
        for await (const line of runtime.logs(instanceId, { follow: false, tail: MOST_UNSAVED, ...since })) {
          if (line.position <= position[line.stream]) continue;
          position[line.stream] = line.position;
          lines.push({ ...line, instanceId, revisionName });
        }
      } catch (error) {
        logger.warn({ error, instance: instanceId }, 'the engine did not give an instance’s newest lines');
      }
      return { instanceId, lines, position };
    }),
  );
  return {
    lines: found.flatMap(({ lines }) => lines),
    positions: new Map(found.map(({ instanceId, position }) => [instanceId, position])),
  };
}

/** Of one instance; more wait only while the store is away. */
const MOST_UNSAVED = 10_000;

/** A page as the API answers it; `cursor` is the `nextCursor` of the page before. */
export async function searchPage(
  sources: LogSources,
  { cursor, ...search }: LogSearch & { readonly cursor?: string | undefined },
): Promise<{ items: LogLine[]; nextCursor: string | null }> {
  const before = cursor === undefined ? {} : { before: Buffer.from(cursor, 'base64url').toString('utf8') };
  const unsaved = await unsavedLines(sources, search);
  const { lines, next } = await searchLogs(sources, { ...search, ...before }, unsaved.lines);
  return {
    items: lines.map(toLogLine),
    nextCursor: next === null ? null : Buffer.from(next).toString('base64url'),
  };
}

/** Whether a text can have come from `nextCursor`. */
export function isLogCursor(cursor: string): boolean {
  const place = Buffer.from(cursor, 'base64url').toString('utf8');
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}/.test(place) && Number.isFinite(Date.parse(`${place.slice(0, 23)}Z`));
}
