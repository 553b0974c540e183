import type { Clock, Logger } from '@skyrun/kit';
import type { InstanceRecord } from '../reconcile/records.ts';
import type { Runtime, RuntimeLogLine } from '../runtime/runtime.ts';
import type { LogChunk, LogPosition, LogStore } from '../store/log-store.ts';
import { packLines } from './chunk.ts';

/**
 * Brings the output of instances from the engine into the store, for one term.
 *
 * The engine's own file is the buffer: lines are read as far as there is room for, kept for a few seconds so that they
 * are written in large pieces, and how far they were stored is written with them. So a leader that is killed, or a
 * database that is away, loses nothing that the engine still holds; and no instance ever waits for any of it.
 */
export interface LogCollector {
  /** Sees to it that what the instance writes is read; cheap, and to be called again and again. */
  follow(record: InstanceRecord): void;
  /** Resolves when everything that an ended instance wrote is stored, or when it took too long. */
  finish(record: InstanceRecord): Promise<void>;
  /** Writes down what is due. */
  tick(): Promise<void>;
  /** Stores what is there, as far as the term still allows. */
  stop(): Promise<void>;
}

export interface CollectorOptions {
  readonly runtime: Runtime;
  readonly store: LogStore;
  readonly term: bigint;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Lines wait at most so long: what a lost machine takes with it. */
const FLUSH_AFTER_MS = 5_000;
const CHUNK_CHARACTERS = 64 * 1024;
/** Over all instances; beyond it readers wait, and the engine keeps the lines. */
const MOST_CHARACTERS = 16 * 1024 * 1024;
const TRANSACTION_CHARACTERS = 4 * 1024 * 1024;
const FINISH_WITHIN_MS = 5_000;
const RETRY_MS = 500;
/** Beside the text: position, stream, line end. */
const LINE_CHARACTERS = 32;

const BEFORE_ALL: LogPosition = { stdout: '', stderr: '' };

interface Source {
  record: InstanceRecord;
  /** Undefined while nothing reads. */
  reading: Promise<void> | undefined;
  read: { stdout: string; stderr: string };
  lines: RuntimeLogLine[];
  characters: number;
  /** When the oldest line that waits was read, by the monotonic clock. */
  since: number;
}

export async function createLogCollector(options: CollectorOptions): Promise<LogCollector> {
  const { runtime, store, term, clock, logger } = options;
  const stored = await store.positions();
  const sources = new Map<string, Source>();
  const closing = new AbortController();
  const over = AbortSignal.any([options.signal, closing.signal]);
  let waiting = 0;
  let uncertain = false;
  let room = Promise.withResolvers<void>();
  let writing: Promise<void> = Promise.resolve();
  over.addEventListener('abort', () => room.resolve(), { once: true });

  async function take(source: Source, line: RuntimeLogLine): Promise<void> {
    if (line.position <= source.read[line.stream]) return;
    source.read[line.stream] = line.position;
    if (source.lines.length === 0) source.since = clock.monotonic();
    source.lines.push(line);
    const characters = line.text.length + LINE_CHARACTERS;
    source.characters += characters;
    waiting += characters;
    if (waiting >= MOST_CHARACTERS) await room.promise;
  }

  async function read(source: Source, follow: boolean): Promise<void> {
    const { stdout, stderr } = source.read;
    // The older of the two: the younger stream's lines are told apart by their position.
    const from = [stdout, stderr].filter((position) => position !== '').toSorted()[0];
    const since = from === undefined ? {} : { since: Date.parse(from) };
    const wanted = { follow, tail: 'all' as const, ...since, signal: over };
    for await (const line of runtime.logs(source.record.instanceId, wanted)) {
      if (over.aborted) return;
      await take(source, line);
    }
  }

  function begin(source: Source): void {
    source.reading ??= read(source, true)
      .catch(async (error: unknown) => {
        if (over.aborted) return;
        logger.debug({ error, instance: source.record.instanceId }, 'reading an instance’s output broke off');
        await clock.sleep(RETRY_MS, over).catch(() => undefined);
      })
      .finally(() => {
        source.reading = undefined;
      });
  }

  function sourceOf(record: InstanceRecord): Source {
    const known = sources.get(record.instanceId);
    if (known) return Object.assign(known, { record });
    const read = { ...(stored.get(record.instanceId) ?? BEFORE_ALL) };
    const source: Source = { record, reading: undefined, read, lines: [], characters: 0, since: 0 };
    sources.set(record.instanceId, source);
    return source;
  }

  /** One transaction after the other, until nothing is due. */
  function flush(isDue: (source: Source) => boolean): Promise<void> {
    writing = writing.catch(() => undefined).then(() => write([...sources.values()].filter(isDue)));
    return writing;
  }

  async function write(due: readonly Source[]): Promise<void> {
    if (uncertain) await makeSure(due);
    let batch: Taken[] = [];
    let characters = 0;
    for (const source of due) {
      for (const lines of piecesOf(source.lines)) {
        batch.push({ source, lines });
        characters += charactersOf(lines);
        if (characters < TRANSACTION_CHARACTERS) continue;
        await commit(batch);
        batch = [];
        characters = 0;
      }
    }
    if (batch.length > 0) await commit(batch);
  }

  async function commit(batch: readonly Taken[]): Promise<void> {
    const positions = new Map<string, LogPosition>();
    const chunks: LogChunk[] = [];
    for (const { source, lines } of batch) {
      const { instanceId } = source.record;
      const before = positions.get(instanceId) ?? stored.get(instanceId) ?? BEFORE_ALL;
      const chunk = await chunkOf(source.record, lines, before);
      positions.set(instanceId, chunk.position);
      chunks.push(chunk);
    }
    uncertain = true;
    await store.write(term, chunks);
    uncertain = false;
    for (const [instanceId, position] of positions) stored.set(instanceId, position);
    for (const { source, lines } of batch) drop(source, lines.length);
  }

  function drop(source: Source, count: number): void {
    const characters = charactersOf(source.lines.splice(0, count));
    source.since = clock.monotonic();
    source.characters -= characters;
    waiting -= characters;
    if (waiting >= MOST_CHARACTERS / 2) return;
    room.resolve();
    room = Promise.withResolvers<void>();
    if (over.aborted) room.resolve();
  }

  /** After a write whose outcome nobody knows: lines that were stored all the same are not stored again. */
  async function makeSure(due: readonly Source[]): Promise<void> {
    const found = await store.positions(due.map(({ record }) => record.instanceId));
    for (const source of due) {
      const position = found.get(source.record.instanceId);
      if (!position) continue;
      stored.set(source.record.instanceId, position);
      drop(source, source.lines.filter((line) => line.position <= position[line.stream]).length);
    }
    uncertain = false;
  }

  const holdsLines = (source: Source) => source.lines.length > 0;

  async function drain(source: Source): Promise<void> {
    // The engine ends what is followed when the instance has ended.
    await source.reading;
    await read(source, false);
    while (holdsLines(source)) await flush((other) => other === source);
  }

  return {
    follow(record) {
      if (!over.aborted) begin(sourceOf(record));
    },
    async finish(record) {
      const source = sourceOf(record);
      const late = new AbortController();
      try {
        const done = await Promise.race([
          drain(source).then(() => true),
          clock.sleep(FINISH_WITHIN_MS, late.signal).then(() => false),
        ]);
        if (!done) logger.warn({ instance: record.instanceId }, 'an instance’s last lines took too long to store');
      } catch (error) {
        if (!over.aborted) logger.warn({ error, instance: record.instanceId }, 'the last lines could not be stored');
      } finally {
        late.abort();
        drop(source, source.lines.length);
        sources.delete(record.instanceId);
        stored.delete(record.instanceId);
      }
    },
    tick() {
      const now = clock.monotonic();
      const full = waiting >= MOST_CHARACTERS / 2;
      return flush(
        (source) =>
          holdsLines(source) && (full || source.characters >= CHUNK_CHARACTERS || now - source.since >= FLUSH_AFTER_MS),
      );
    },
    async stop() {
      closing.abort();
      await flush(holdsLines).catch((error: unknown) => {
        logger.debug({ error }, 'the last lines of this term are stored by the next');
      });
    },
  };
}

interface Taken {
  readonly source: Source;
  readonly lines: readonly RuntimeLogLine[];
}

function charactersOf(lines: readonly RuntimeLogLine[]): number {
  return lines.reduce((sum, { text }) => sum + text.length + LINE_CHARACTERS, 0);
}

/** Pieces of a size that is quick to unpack. */
function piecesOf(lines: readonly RuntimeLogLine[]): RuntimeLogLine[][] {
  const pieces: RuntimeLogLine[][] = [];
  let piece: RuntimeLogLine[] = [];
  let characters = 0;
  for (const line of lines) {
    piece.push(line);
    characters += line.text.length + LINE_CHARACTERS;
    if (characters < CHUNK_CHARACTERS * 2) continue;
    pieces.push(piece);
    piece = [];
    characters = 0;
  }
  if (piece.length > 0) pieces.push(piece);
  return pieces;
}

async function chunkOf(
  { project, service, revisionName, instanceId }: InstanceRecord,
  lines: readonly RuntimeLogLine[],
  before: LogPosition,
): Promise<LogChunk> {
  const last = (stream: 'stdout' | 'stderr') => lines.findLast((line) => line.stream === stream)?.position;
  const times = lines.map(({ at }) => at);
  return {
    project,
    service,
    revisionName,
    instanceId,
    firstAt: times.reduce((a, b) => Math.min(a, b)),
    lastAt: times.reduce((a, b) => Math.max(a, b)),
    lines: lines.length,
    body: await packLines(lines),
    position: { stdout: last('stdout') ?? before.stdout, stderr: last('stderr') ?? before.stderr },
  };
}
