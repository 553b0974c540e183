import { BILLING_JOB_STATES, type BillingJob, type BillingJobs, Problem } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { Queue, Job as QueueJob } from 'bullmq';
import type { Job, JobState } from './job.ts';

/** What a job in the queue holds. */
export interface Work {
  /** Absent in the job that looks for items. */
  readonly item?: string;
}

/** How long the queue may take to answer before it counts as away, in milliseconds. */
const PATIENCE_MS = 3_000;

/** The queue as the API shows it. Looks for items are left out, unless they failed. */
export function showQueue(
  queue: Queue<Work>,
  kinds: readonly Job[],
  { state, limit }: { readonly state?: JobState | undefined; readonly limit: number },
): Promise<BillingJobs> {
  return inTime(async () => {
    const states = state === undefined ? BILLING_JOB_STATES : [state];
    const counts = await queue.getJobCounts(...BILLING_JOB_STATES);
    const schedulers = new Map((await queue.getJobSchedulers()).map(({ key, next }) => [key, next]));
    const found: BillingJob[] = [];
    for (const one of states) {
      for (const job of await queue.getJobs(one, 0, limit * 2)) {
        if (job && (job.data.item !== undefined || one === 'failed')) found.push(showJob(job, one));
      }
    }
    return {
      runner: 'queue',
      kinds: kinds.map(({ name, everyMs }) => {
        const next = schedulers.get(name);
        return { name, everyMs, nextAt: next === undefined ? null : isoTime(next) };
      }),
      // Each schedule keeps its next look for items as a delayed job; that is told by `kinds`.
      counts: Object.fromEntries(
        BILLING_JOB_STATES.map((one) => [
          one,
          Math.max(0, (counts[one] ?? 0) - (one === 'delayed' ? schedulers.size : 0)),
        ]),
      ) as BillingJobs['counts'],
      jobs: found.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1)).slice(0, limit),
    };
  });
}

export function retryInQueue(queue: Queue<Work>, id: string): Promise<BillingJob> {
  return inTime(async () => {
    const job = await queue.getJob(id);
    if (!job) throw new Problem('resource.not_found', { detail: `there is no job ${id}; it may have been done since` });
    const state = await job.getState();
    if (state !== 'failed') {
      throw new Problem('resource.conflict', { detail: `job ${id} is ${state}; only a failed job can be tried again` });
    }
    await job.retry('failed', { resetAttemptsMade: true });
    const again = await queue.getJob(id);
    return showJob(again ?? job, 'waiting');
  });
}

function showJob(job: QueueJob<Work>, state: JobState): BillingJob {
  const time = (at: number | undefined) => (at === undefined ? null : isoTime(at));
  return {
    id: job.id ?? '',
    name: job.name,
    item: job.data.item ?? null,
    state,
    attempts: job.attemptsMade,
    maxAttempts: job.opts.attempts ?? 1,
    error: job.failedReason === undefined || job.failedReason === '' ? null : job.failedReason,
    createdAt: isoTime(job.timestamp),
    startedAt: time(job.processedOn),
    endedAt: time(job.finishedOn),
    nextAt: state === 'delayed' ? isoTime((job.processedOn ?? job.timestamp) + job.delay) : null,
  };
}

/** The connection waits for Redis without end; whoever asks does not. */
async function inTime<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Problem('platform.unavailable', { detail: 'the job queue does not answer', retryAfterSeconds: 5 }));
  }, PATIENCE_MS);
  try {
    return await Promise.race([ask(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
