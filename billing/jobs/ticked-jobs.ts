import { type Clock, createTicker, type Logger } from '@skyrun/kit';
import type { Job, JobRunner } from './job.ts';

/** Jobs without Redis: every replica looks at every interval. An item that fails is tried again at the next one. */
export function createTickedJobs(options: {
  readonly jobs: readonly Job[];
  readonly clock: Clock;
  readonly logger: Logger;
}): JobRunner {
  const { jobs, clock, logger } = options;
  const tickers = jobs.map((job) =>
    createTicker({
      name: `billing-${job.name}`,
      clock,
      logger,
      everyMs: job.everyMs,
      run: (signal) => runOnce(job, logger, signal),
    }),
  );
  return {
    start() {
      for (const ticker of tickers) ticker.start();
    },
    async stop() {
      await Promise.all(tickers.map((ticker) => ticker.stop()));
    },
  };
}

export async function runOnce(job: Job, logger: Logger, signal: AbortSignal): Promise<void> {
  for (const item of await job.items()) {
    if (signal.aborted) return;
    try {
      await job.run(item, signal);
    } catch (error) {
      logger.error({ job: job.name, item, error }, 'job failed; it is tried again');
    }
  }
}
