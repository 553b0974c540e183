import { type Clock, createTicker, type Logger, type Ticker } from '@skyrun/kit';
import type { Database } from '@skyrun/postgres';
import { CHANGES } from '../store/services.ts';
import type { KindName } from './kinds.ts';
import type { ObjectBook } from './object-book.ts';

/**
 * Tells watchers of this process when there may be something new. Without watchers it does nothing; with some, each
 * notification of a changed service gives that service's objects their new versions, and all are looked at now and then, in
 * case a notification was lost.
 */
export interface WatchHub {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
  /** From now on changes of this kind are written down. Must be closed. */
  join(kind: KindName): Watcher;
}

export interface Watcher {
  /** Resolves at the next change, at once if one came since the last call, or after `ms`. Rejects when the signal aborts. */
  next(ms: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** How often everything is looked at although nothing told us to, in milliseconds. */
const LOOK_MS = 30_000;

export function createWatchHub(deps: {
  readonly db: Database;
  readonly book: ObjectBook;
  readonly clock: Clock;
  readonly logger: Logger;
}): WatchHub {
  const { db, book, clock, logger } = deps;
  const watchers = new Map<object, { readonly kind: KindName; wake: () => void }>();
  const stopped = new AbortController();
  let changed = new Set<string>();
  let everything = false;
  let unlisten: (() => Promise<void>) | undefined;

  async function run(): Promise<void> {
    const ids = changed;
    const all = everything || ids.size === 0;
    changed = new Set();
    everything = false;
    const kinds = [...new Set(Array.from(watchers.values(), ({ kind }) => kind))];
    if (kinds.length === 0) return;
    try {
      await book.refresh(all ? 'all' : { ids: [...ids] }, kinds);
    } catch (error) {
      everything = true;
      throw error;
    }
    for (const { wake } of watchers.values()) wake();
  }

  const ticker: Ticker = createTicker({ name: 'registry.kubernetes', clock, logger, everyMs: LOOK_MS, run });

  return {
    signal: stopped.signal,
    async start() {
      unlisten = await db.listen(CHANGES, (id) => {
        if (id === '') everything = true;
        else changed.add(id);
        if (watchers.size > 0) ticker.wake();
      });
      ticker.start();
    },
    async stop() {
      stopped.abort();
      await ticker.stop();
      await unlisten?.();
    },
    join(kind) {
      const key = {};
      let news = false;
      let resolve: (() => void) | null = null;
      watchers.set(key, {
        kind,
        wake() {
          news = true;
          resolve?.();
        },
      });
      return {
        async next(ms, signal) {
          signal.throwIfAborted();
          const timeout = new AbortController();
          if (!news) {
            await Promise.race([
              new Promise<void>((done) => {
                resolve = done;
              }),
              clock.sleep(ms, AbortSignal.any([signal, timeout.signal])).catch((error: unknown) => {
                if (signal.aborted) throw error;
              }),
            ]).finally(() => timeout.abort());
          }
          news = false;
          resolve = null;
        },
        close: () => watchers.delete(key),
      };
    },
  };
}
