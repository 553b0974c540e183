import type { Clock, Logger } from '@skyrun/kit';
import { DelayedError, Queue, Worker } from 'bullmq';

const NAME = 'push';
/** Deliveries that one process works on at once. */
const CONCURRENCY = 32;
/** A Redis that is away must not keep a process from ending. */
const CLOSE_MS = 3_000;

export interface PushQueueOptions {
  readonly redisUrl: string;
  /** Of every key. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Returns when to come back, in Unix milliseconds; null: done. */
  readonly work: (id: string, signal: AbortSignal) => Promise<number | null>;
  /** A delivery has left the queue. */
  readonly onDone: () => void;
}

export interface PushQueue {
  /** One that is in the queue already stays as it is. */
  add(ids: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * BullMQ knows which delivery is due when, and whose worker died; what a delivery is, and whether it is done, is in PostgreSQL
 * alone. So a Redis that loses everything costs time and no delivery.
 */
export function createPushQueue({ redisUrl, prefix, clock, logger, work, onDone }: PushQueueOptions): PushQueue {
  const stopping = new AbortController();
  const queue = new Queue<{ id: string }>(NAME, {
    // Who adds is told at once when Redis is away, and comes back.
    connection: { url: redisUrl, maxRetriesPerRequest: 1 },
    prefix,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  });
  const worker = new Worker<{ id: string }>(
    NAME,
    async (job, token) => {
      const at = await work(job.data.id, stopping.signal);
      if (at === null) return;
      await job.moveToDelayed(at, token);
      throw new DelayedError();
    },
    {
      connection: { url: redisUrl, maxRetriesPerRequest: null },
      prefix,
      concurrency: CONCURRENCY,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    },
  );
  const quiet = (error: Error) => logger.debug({ error }, 'push queue');
  queue.on('error', quiet);
  worker.on('error', quiet);
  worker.on('completed', onDone);
  worker.on('failed', (job, error) => {
    if (!stopping.signal.aborted)
      logger.warn({ error, delivery: job?.data.id }, 'push delivery was not tried; it will be');
  });

  return {
    async add(ids) {
      await queue.addBulk(ids.map((id) => ({ name: NAME, data: { id }, opts: { jobId: id } })));
    },
    async close() {
      stopping.abort();
      const closed = Promise.all([worker.close(), queue.close()]).catch((error: unknown) =>
        logger.debug({ error }, 'push queue did not close well'),
      );
      const enough = new AbortController();
      const late = clock.sleep(CLOSE_MS, enough.signal).catch(() => undefined);
      await Promise.race([closed, late]);
      enough.abort();
    },
  };
}
