import { type Clock, createTicker, type Logger, type Ticker } from '@skyrun/kit';

export interface BudgetWatch extends Pick<Ticker, 'start' | 'stop'> {
  /** Says that these projects have spent something. */
  touch(projects: readonly string[]): void;
}

const EVERY_MS = 2_000;

/** Checks the budgets of projects within two seconds of their usage. */
export function createBudgetWatch(options: {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Projects with a budget or a cap. */
  watched(): Promise<readonly string[]>;
  check(project: string): Promise<void>;
}): BudgetWatch {
  const { clock, logger, watched, check } = options;
  const touched = new Set<string>();
  const ticker = createTicker({
    name: 'budget-watch',
    clock,
    logger,
    everyMs: EVERY_MS,
    async run(signal) {
      if (touched.size === 0) return;
      const spent = new Set(touched);
      touched.clear();
      for (const project of (await watched()).filter((one) => spent.has(one))) {
        if (signal.aborted) return;
        try {
          await check(project);
        } catch (error) {
          logger.error({ project, error }, 'budgets were not checked; the sweep of all budgets tries again');
        }
      }
    },
  });
  return {
    touch(projects) {
      for (const project of projects) touched.add(project);
    },
    start: () => ticker.start(),
    stop: () => ticker.stop(),
  };
}
