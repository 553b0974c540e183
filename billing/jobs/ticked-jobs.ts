import { BILLING_JOB_STATES, type BillingJob, type BillingJobs, Problem } from '@skyrun/contracts';
import { type Clock, createTicker, isoTime, type Logger } from '@skyrun/kit';
import type { Job, JobRunner } from './job.ts';

/** How many items are remembered. */
const REMEMBERED = 500;

/** Jobs without Redis: every replica looks at every interval. An item that fails is tried again at the next one. */
export function createTickedJobs(options: {
  readonly jobs: readonly Job[];
  readonly clock: Clock;
  readonly logger: Logger;
}): JobRunner {
  const { jobs, clock, logger } = options;
  let past: BillingJob[] = [];
  const remember = (job: Job, done: BillingJob) => {
    if (job.remembered || done.state === 'failed') past = [done, ...past].slice(0, REMEMBERED);
  };
  const runItem = async (job: Job, item: string, signal: AbortSignal): Promise<BillingJob> => {
    const startedAt = isoTime(clock.now());
    let failure: string | null = null;
    try {
      await job.run(item, signal);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
      logger.error({ job: job.name, item, error }, 'job failed; it is tried again');
    }
    const done: BillingJob = {
      id: `${job.name}:${item}:${startedAt}`,
      name: job.name,
      item,
      state: failure === null ? 'completed' : 'failed',
      attempts: 1,
      maxAttempts: 1,
      error: failure,
      createdAt: startedAt,
      startedAt,
      endedAt: isoTime(clock.now()),
      nextAt: null,
    };
    remember(job, done);
    return done;
  };
  const tickers = jobs.map((job) =>
    createTicker({
      name: `billing-${job.name}`,
      clock,
      logger,
      everyMs: job.everyMs,
      async run(signal) {
        for (const item of await job.items()) {
          if (signal.aborted) return;
          await runItem(job, item, signal);
        }
      },
    }),
  );
  return {
    start() {
      for (const ticker of tickers) ticker.start();
    },
    async stop() {
      await Promise.all(tickers.map((ticker) => ticker.stop()));
    },
    async show({ state, limit }) {
      const count = (wanted: string) => past.filter((job) => job.state === wanted).length;
      return {
        runner: 'ticker',
        kinds: jobs.map(({ name, everyMs }) => ({ name, everyMs, nextAt: null })),
        counts: Object.fromEntries(BILLING_JOB_STATES.map((one) => [one, count(one)])) as BillingJobs['counts'],
        jobs: past.filter((job) => state === undefined || job.state === state).slice(0, limit),
      };
    },
    async retry(id) {
      const failed = past.find((one) => one.id === id);
      const job = jobs.find(({ name }) => name === failed?.name);
      if (!failed || !job || failed.item === null) {
        throw new Problem('resource.not_found', { detail: `there is no job ${id}` });
      }
      if (failed.state !== 'failed') throw new Problem('resource.conflict', { detail: `job ${id} did not fail` });
      return runItem(job, failed.item, new AbortController().signal);
    },
  };
}
