import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Route } from '@skyrun/contracts';
import { type Clock, createTicker, type Logger, lines } from '@skyrun/kit/base';
import type { FeedPosition } from './feed-state.ts';
import { atLine, downLine, JournalReader, type ReadJournal, upLine } from './journal-line.ts';
import { createSlices, type Slices } from './slices.ts';

/** Where a write has failed, it is tried again. */
const SAVE_EVERY_MS = 1000;
const WRITE_CHARACTERS = 65_536;
/** A journal is written anew when its changes take more than its routes did, and at least so much. */
const LEAST_GROWTH = 1_048_576;

/**
 * The routes on disk, for a start without the registry. A change of one route appends a line, so it costs what it is, however
 * many routes there are; now and then the journal is written anew, with nothing but what holds.
 *
 *   appending ──more changes than routes, a new snapshot, a write that failed──► writing anew (beside it) ──renamed──► appending
 *
 * A crash leaves what was true at some time before: the old file until the new one is whole, and of a torn tail nothing.
 */
export interface RouteJournal {
  /** What is on disk; null where nothing can be read. */
  read(): Promise<ReadJournal | null>;
  /**
   * Told before the change is in force, so that no routes are written under a position that they are ahead of.
   * Returns what to call when it is.
   */
  change(position: FeedPosition, upserts: readonly Route[], removes: readonly string[]): () => void;
  /** All routes are others, and in force. */
  replace(position: FeedPosition): void;
  start(): void;
  /** Resolves when everything is written. */
  stop(): Promise<void>;
}

/** What is asked of the journal's file. */
export type JournalFile = Pick<FileHandle, 'appendFile' | 'datasync' | 'close'>;

interface Change {
  readonly position: FeedPosition;
  readonly upserts: readonly Route[];
  readonly removes: readonly string[];
}

export function createRouteJournal(options: {
  readonly path: string;
  /** All routes in force. Those that change while they are gone through may come as they were or as they are. */
  readonly routes: () => Iterable<Route>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** An empty file in place of what is there. */
  readonly create?: (path: string) => Promise<JournalFile>;
}): RouteJournal {
  const { path, routes, clock, logger, create = (at) => open(at, 'w', 0o600) } = options;
  let position: FeedPosition | null = null;
  let pending: Change[] = [];
  let file: JournalFile | null = null;
  /** Characters of the routes that the journal begins with, and of the changes behind them. */
  let base = 0;
  let grown = 0;
  /** Counts snapshots: what was begun under an earlier one is of no use. */
  let generation = 0;
  let stale = false;
  /** Changes that are on their way into force. */
  let entering = 0;

  const ticker = createTicker({ name: 'save routes', clock, logger, everyMs: SAVE_EVERY_MS, run: save });

  async function save(): Promise<void> {
    if (stale || (file === null && pending.length > 0) || grown > Math.max(LEAST_GROWTH, base)) {
      while (!(await writeAnew()));
      return;
    }
    if (pending.length === 0 || file === null) return;
    const changes = pending;
    pending = [];
    try {
      grown += await append(file, changes, createSlices(clock));
      await file.datasync();
    } catch (error) {
      // Whatever of it stands there, nothing can follow on it.
      stale = true;
      throw error;
    }
  }

  /** False: it was overtaken by a new snapshot. */
  async function writeAnew(): Promise<boolean> {
    const begun = generation;
    const temporary = `${path}.new`;
    await mkdir(dirname(path), { recursive: true });
    const next = await create(temporary);
    try {
      const slices = createSlices(clock);
      while (entering > 0) await slices.pause();
      // What came so far is in force: the routes say it.
      pending = [];
      let written = 0;
      let text = '';
      for (const route of routes()) {
        text += upLine(route);
        if (text.length >= WRITE_CHARACTERS) {
          written += await write(next, text);
          text = '';
        }
        if (slices.over()) await slices.pause();
        if (generation !== begun) return false;
      }
      written += await write(next, text);
      // What changed meanwhile may be among the routes or not; said again it holds either way.
      for (let changes = pending; changes.length > 0; changes = pending) {
        pending = [];
        written += await append(next, changes, slices);
      }
      if (generation !== begun) return false;
      if (position !== null) written += await write(next, atLine(position));
      await next.datasync();
      await rename(temporary, path);
      await file?.close();
      file = next;
      base = written;
      grown = 0;
      stale = generation !== begun;
      return true;
    } catch (error) {
      stale = true;
      throw error;
    } finally {
      if (file !== next) await next.close();
    }
  }

  return {
    async read() {
      const reader = new JournalReader();
      const slices = createSlices(clock);
      try {
        for await (const line of lines(createReadStream(path))) {
          reader.take(line);
          if (slices.over()) await slices.pause();
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
          logger.warn({ path, error }, 'cannot read the routes on disk');
        return null;
      }
      const read = reader.end();
      if (read.dropped > 0) logger.warn({ path, lines: read.dropped }, 'the end of the routes on disk is not whole');
      position = read.position;
      // It is appended to only once it was written anew: its end may be torn.
      return read.position === null ? null : read;
    },
    change(to, upserts, removes) {
      position = to;
      pending.push({ position: to, upserts, removes });
      entering += 1;
      return () => {
        entering -= 1;
        // At once, and what comes meanwhile together after it: a gateway that is killed now must not begin with what was.
        if (entering === 0) ticker.wake();
      };
    },
    replace(to) {
      position = to;
      generation += 1;
      stale = true;
      ticker.wake();
    },
    start: ticker.start,
    async stop() {
      await ticker.stop();
      try {
        await save();
      } catch (error) {
        logger.error({ path, error }, 'cannot write the routes to disk');
      }
      await file?.close();
      file = null;
    },
  };
}

/** Appends changes, each ended by its position; returns how many characters that took. */
async function append(file: JournalFile, changes: readonly Change[], slices: Slices): Promise<number> {
  let written = 0;
  let text = '';
  const put = async (line: string) => {
    text += line;
    if (text.length >= WRITE_CHARACTERS) {
      written += await write(file, text);
      text = '';
    }
    if (slices.over()) await slices.pause();
  };
  for (const { position, upserts, removes } of changes) {
    for (const route of upserts) await put(upLine(route));
    for (const host of removes) await put(downLine(host));
    await put(atLine(position));
  }
  return written + (await write(file, text));
}

async function write(file: JournalFile, text: string): Promise<number> {
  if (text !== '') await file.appendFile(text);
  return text.length;
}
