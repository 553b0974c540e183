import { Problem } from '@skyrun/contracts';
import type { Logger } from '@skyrun/kit';
import { Queue, Worker } from 'bullmq';
import type { Job, JobRunner } from './job.ts';
import { retryInQueue, showQueue, type Work } from './show-queue.ts';

const QUEUE = 'billing';
const ATTEMPTS = 6;
/** How many done jobs are remembered. */
const REMEMBERED = 500;

/**
 * Jobs in BullMQ, shared by all replicas without a leader: the schedule is kept in Redis, one replica looks for the items,
 * and each item is taken by one of them.
 *
 *   schedule ──every interval──► look for items ──one each, not twice at a time──► run ──fails──► again, later and later
 *
 * A replica that dies in an item loses its lock, and another one takes it. While Redis is away nothing runs here; what is
 * due stays due in the database.
 */
export function createQueuedJobs(options: {
  readonly url: string;
  /** Of all keys in Redis. */
  readonly prefix: string;
  readonly jobs: readonly Job[];
  readonly logger: Logger;
  readonly retryAfterMs?: number;
}): JobRunner {
  const { url, prefix, jobs, logger, retryAfterMs = 1_000 } = options;
  const connection = { url, maxRetriesPerRequest: null };
  const byName = new Map(jobs.map((job) => [job.name, job]));
  const abort = new AbortController();
  let queue: Queue<Work> | undefined;
  let worker: Worker<Work> | undefined;
  let scheduled: Promise<void> = Promise.resolve();

  const schedule = async (into: Queue<Work>) => {
    try {
      for (const { name, everyMs } of jobs) {
        const opts = { removeOnComplete: true, removeOnFail: { count: 100 } };
        await into.upsertJobScheduler(name, { every: everyMs }, { name, data: {}, opts });
      }
    } catch (error) {
      if (!abort.signal.aborted)
        logger.error({ error }, 'jobs were not scheduled; another replica or the next start does');
    }
  };

  const lookForItems = async (into: Queue<Work>, job: Job) => {
    const items = await job.items();
    await into.addBulk(
      items.map((item) => ({
        name: job.name,
        data: { item },
        opts: {
          attempts: ATTEMPTS,
          backoff: { type: 'exponential', delay: retryAfterMs, jitter: 0.5 },
          deduplication: { id: `${job.name}|${item}` },
          removeOnComplete: job.remembered ? { count: REMEMBERED } : true,
          removeOnFail: { count: 1_000 },
        },
      })),
    );
  };

  const running = () => {
    if (!queue) throw new Problem('platform.unavailable', { detail: 'billing is starting', retryAfterSeconds: 1 });
    return queue;
  };

  return {
    show: async (wanted) => showQueue(running(), jobs, wanted),
    retry: async (id) => retryInQueue(running(), id),
    start() {
      if (abort.signal.aborted || queue) return;
      const into = new Queue<Work>(QUEUE, { connection, prefix });
      queue = into;
      worker = new Worker<Work>(
        QUEUE,
        async ({ name, data }) => {
          const job = byName.get(name);
          if (!job) throw new RangeError(`there is no job ${name}`);
          if (data.item === undefined) await lookForItems(into, job);
          else await job.run(data.item, abort.signal);
        },
        { connection, prefix, concurrency: 2 },
      );
      const away = (error: Error) => logger.warn({ error }, 'the job queue is in trouble; it is tried again');
      into.on('error', away);
      worker.on('error', away);
      worker.on('failed', (failed, error) => {
        const { name = '', attemptsMade = 0, data = {} } = failed ?? {};
        logger.error({ job: name, item: data.item, attempt: attemptsMade, error }, 'job failed');
      });
      scheduled = schedule(into);
    },
    async stop() {
      abort.abort();
      await worker?.close();
      await queue?.close();
      await scheduled;
    },
  };
}
