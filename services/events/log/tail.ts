import { Problem } from '@skyrun/contracts';
import { type Clock, createTicker, type Logger } from '@skyrun/kit';
import { type LoggedEvent, lastPosition, readLog } from '../store/read.ts';
import type { Db } from '../store/tables.ts';

const POLL_MS = 1000;
const MAX_BATCH = 200;
const REACH_STEP_MS = 10;
const REACH_LIMIT_MS = 5_000;

export interface TailOptions {
  readonly db: Db;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gets events in order of position. Must not wait: `position` moves on in the same turn. */
  readonly onEvents: (events: readonly LoggedEvent[]) => void;
}

/** Follows the end of the log, so that every replica tells of every event, whichever replica recorded it. */
export interface Tail {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** There may be something new. */
  wake(): void;
  /**
   * Resolves when everything that the log holds now was given to `onEvents`. Another replica may have recorded, and
   * told of, what this one has not read yet.
   * @throws Problem `platform.unavailable` when it takes too long
   */
  reachEnd(): Promise<void>;
  /** All events up to here were given to `onEvents`, none after. */
  position(): bigint;
}

export function createTail({ db, clock, logger, onEvents }: TailOptions): Tail {
  let position = 0n;
  const ticker = createTicker({
    name: 'event-log-tail',
    clock,
    logger,
    everyMs: POLL_MS,
    async run(signal) {
      for (;;) {
        const events = await readLog(db, { after: position, until: null, project: null, limit: MAX_BATCH });
        const last = events.at(-1);
        if (!last || signal.aborted) return;
        position = last.position;
        onEvents(events);
        if (events.length < MAX_BATCH) return;
      }
    },
  });
  return {
    async start() {
      position = await lastPosition(db);
      ticker.start();
    },
    stop: () => ticker.stop(),
    wake: () => ticker.wake(),
    async reachEnd() {
      const end = await lastPosition(db);
      const limit = clock.monotonic() + REACH_LIMIT_MS;
      while (position < end) {
        if (clock.monotonic() > limit) throw new Problem('platform.unavailable', { detail: 'the feed lags behind' });
        ticker.wake();
        await clock.sleep(REACH_STEP_MS);
      }
    },
    position: () => position,
  };
}
