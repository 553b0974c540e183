import type { EventBus, Subscription } from '@skyrun/bus';
import { Problem } from '@skyrun/contracts';
import type { Clock, Logger, ServiceModule } from '@skyrun/kit';
import { createDatabase, createOutboxRelay } from '@skyrun/postgres';
import { createBudgetWatch } from './budget/budget-watch.ts';
import { checkBudgets } from './budget/check-budgets.ts';
import type { BillingConfig } from './config.ts';
import { subscribeUsage } from './consumers.ts';
import type { BillingContext } from './context.ts';
import { createCostFeed } from './cost/cost-feed.ts';
import { getCosts } from './cost/get-costs.ts';
import { accrualJob, budgetJob, closingJob, ledgerJob } from './jobs/billing-jobs.ts';
import { createQueuedJobs } from './jobs/queued-jobs.ts';
import { createTickedJobs } from './jobs/ticked-jobs.ts';
import { PRICE_LISTS, readPriceLists } from './prices/load-price-lists.ts';
import { createRoutes } from './routes.ts';
import { projectsWithBudgets } from './store/budgets.ts';
import { keepPriceLists } from './store/price-lists.ts';

export interface BillingDeps {
  readonly config: BillingConfig;
  readonly databaseUrl: string;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MINUTE_MS = 60_000;

export function createBillingService({ config, databaseUrl, bus, clock, logger }: BillingDeps): ServiceModule {
  const db = createDatabase({ url: databaseUrl, schema: 'billing', applicationName: 'skyrun-billing', logger });
  const relay = createOutboxRelay({ db, bus, logger, clock });
  let started: BillingContext | undefined;
  let subscription: Subscription | undefined;
  let stopped = false;

  const context = () => {
    if (!started) throw new Problem('platform.unavailable', { detail: 'billing is starting', retryAfterSeconds: 1 });
    return started;
  };
  const costFeed = createCostFeed({ bus, clock, logger, getCosts: (project) => getCosts(context(), project) });
  const budgets = createBudgetWatch({
    clock,
    logger,
    watched: () => projectsWithBudgets(context().db.kysely<unknown>()),
    check: (project) => checkBudgets(context(), project),
  });
  const jobs = [
    closingJob(context, config.SKYRUN_BILLING_GRACE_MINUTES * MINUTE_MS),
    budgetJob(context),
    accrualJob(context),
    ledgerJob(context),
  ];
  const redis = config.SKYRUN_REDIS_URL;
  const runner =
    redis === undefined
      ? createTickedJobs({ jobs, clock, logger })
      : createQueuedJobs({ jobs, url: redis, prefix: 'skyrun-jobs', logger });

  return {
    name: 'billing',
    api: createRoutes(context, runner),
    async start() {
      await db.migrate(new URL('./migrations/', import.meta.url));
      const prices = await keepPriceLists(db.kysely<unknown>(), await readPriceLists(PRICE_LISTS));
      const newAccount = {
        priceList: config.SKYRUN_BILLING_PRICE_LIST,
        freeTier: config.SKYRUN_BILLING_FREE_TIER,
      };
      prices.at(newAccount.priceList, clock.now());
      started = { db, clock, logger, prices, newAccount };
      if (stopped) return;
      await relay.start();
      subscription = await subscribeUsage(bus, started, (projects) => {
        costFeed.touch(projects);
        budgets.touch(projects);
      });
      // A stop that came meanwhile had no subscription to close.
      if (stopped) await subscription.close();
      costFeed.start();
      budgets.start();
      runner.start();
    },
    async stop() {
      stopped = true;
      await subscription?.close();
      await runner.stop();
      await budgets.stop();
      await costFeed.stop();
      await relay.stop();
      await db.close();
    },
    ready: () => ({
      ok: started !== undefined && bus.ready(),
      checks: { started: started ? 'ok' : 'starting', bus: bus.ready() ? 'ok' : 'the broker is away' },
    }),
  };
}
