import { type AnyEvent, EVENT_TYPES, EVENTS } from '@skyrun/contracts';
import type { Clock, Logger } from '@skyrun/kit';
import { appendToLog, dropPartition, ensurePartitions, partitionNames } from '../store/append.ts';
import type { Db } from '../store/tables.ts';
import { createBatcher } from './batcher.ts';
import { expiredPartitions, partitionsAhead, partitionsFor, retentionStart } from './partitions.ts';

export const EPHEMERAL_TYPES = EVENT_TYPES.filter((type) => EVENTS[type].retention === 'ephemeral');

const MAX_BATCH = 500;

export interface RecorderOptions {
  readonly inTransaction: <T>(work: (db: Db) => Promise<T>) => Promise<T>;
  readonly retentionDays: number;
  readonly isTransient: (error: unknown) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Recorder {
  /** Resolves when the event is in the log, once, however often it is recorded. */
  record(event: AnyEvent): Promise<void>;
  /** Makes the partitions of the next days and drops those past retention. */
  upkeep(): Promise<void>;
}

/** The log is its own inbox: the effect and the mark that it took place are the same row. */
export function createRecorder({
  inTransaction,
  retentionDays,
  isTransient,
  clock,
  logger,
}: RecorderOptions): Recorder {
  /** Partitions that are known to exist. */
  const known = new Set<string>();

  const batcher = createBatcher<AnyEvent>({
    maxItems: MAX_BATCH,
    isTransient,
    async write(events) {
      const start = retentionStart(clock.now(), retentionDays);
      // A redelivery of a dropped event would otherwise bring its day back.
      const kept = events.filter((event) => Date.parse(event.time) >= start);
      if (kept.length < events.length) {
        logger.warn({ count: events.length - kept.length }, 'events older than the retention are not recorded');
      }
      const missing = partitionsFor(kept.map((event) => Date.parse(event.time))).filter(({ name }) => !known.has(name));
      await inTransaction(async (db) => {
        await ensurePartitions(db, missing);
        await appendToLog(db, kept);
      });
      for (const { name } of missing) known.add(name);
    },
  });

  return {
    record: (event) => batcher.add(event),
    async upkeep() {
      const now = clock.now();
      const ahead = partitionsAhead(now);
      await inTransaction((db) => ensurePartitions(db, ahead));
      for (const { name } of ahead) known.add(name);
      const names = await inTransaction(partitionNames);
      for (const name of expiredPartitions(names, retentionStart(now, retentionDays))) {
        known.delete(name);
        await inTransaction((db) => dropPartition(db, name));
        logger.info({ partition: name }, 'dropped a day of events past retention');
      }
    },
  };
}
