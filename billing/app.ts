import type { EventBus, Subscription } from '@skyrun/bus';
import { Problem } from '@skyrun/contracts';
import { type Clock, createMetrics, type Logger, type Metrics, type ServiceModule } from '@skyrun/kit';
import { createDatabase, createOutboxRelay } from '@skyrun/postgres';
import { createBudgetWatch } from './budget/budget-watch.ts';
import { checkBudgets } from './budget/check-budgets.ts';
import type { BillingConfig } from './config.ts';
import { subscribeUsage } from './consumers.ts';
import type { BillingContext } from './context.ts';
import { createCostFeed } from './cost/cost-feed.ts';
import { getCosts } from './cost/get-costs.ts';
import { bindInsight } from './insight-routes.ts';
import { accrualJob, budgetJob, closingJob, compareJob, drawJob, ledgerJob } from './jobs/billing-jobs.ts';
import { createQueuedJobs } from './jobs/queued-jobs.ts';
import { createTickedJobs } from './jobs/ticked-jobs.ts';
import { createBillingMetrics } from './metrics.ts';
import { subscribeNotices } from './notify/consumer.ts';
import { createSmtpMailer } from './notify/mailer.ts';
import { mailJob } from './notify/send-mails.ts';
import { PRICE_LISTS, readPriceLists } from './prices/load-price-lists.ts';
import { subscribeSamples, trimSamplesJob } from './rightsize/consumer.ts';
import { createRoutes } from './routes.ts';
import { projectsWithBudgets } from './store/budgets.ts';
import { keepPriceLists } from './store/price-lists.ts';

export interface BillingDeps {
  readonly config: BillingConfig;
  readonly databaseUrl: string;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the process; none where nobody reads them. */
  readonly metrics?: Metrics;
}

const MINUTE_MS = 60_000;

export function createBillingService(deps: BillingDeps): ServiceModule {
  const { config, databaseUrl, bus, clock, logger } = deps;
  const metrics = createBillingMetrics(deps.metrics ?? createMetrics());
  const db = createDatabase({ url: databaseUrl, schema: 'billing', applicationName: 'skyrun-billing', logger });
  const relay = createOutboxRelay({ db, bus, logger, clock });
  let started: BillingContext | undefined;
  const subscriptions: Subscription[] = [];
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
  const mailer =
    config.SKYRUN_SMTP_URL === undefined
      ? null
      : createSmtpMailer({ url: config.SKYRUN_SMTP_URL, from: config.SKYRUN_MAIL_FROM });
  const jobs = [
    closingJob(context, config.SKYRUN_BILLING_GRACE_MINUTES * MINUTE_MS),
    budgetJob(context),
    accrualJob(context),
    ledgerJob(context),
    mailJob(context, mailer),
    trimSamplesJob(context),
    drawJob(context),
    compareJob(context),
  ];
  const redis = config.SKYRUN_REDIS_URL;
  const runner =
    redis === undefined
      ? createTickedJobs({ jobs, clock, logger })
      : createQueuedJobs({ jobs, url: redis, prefix: 'skyrun-jobs', logger });

  return {
    name: 'billing',
    api: bindInsight(createRoutes(context, runner), context, { mailServer: mailer !== null }),
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
      subscriptions.push(
        await subscribeUsage(bus, started, (result) => {
          metrics.ingested(result);
          costFeed.touch(result.projects);
          budgets.touch(result.projects);
        }),
        await subscribeNotices(bus, started),
        await subscribeSamples(bus, started),
      );
      // A stop that came meanwhile had no subscription to close.
      if (stopped) await closeAll(subscriptions);
      costFeed.start();
      budgets.start();
      runner.start();
    },
    async stop() {
      stopped = true;
      await closeAll(subscriptions);
      await runner.stop();
      mailer?.close();
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

async function closeAll(subscriptions: readonly Subscription[]): Promise<void> {
  await Promise.all(subscriptions.map((subscription) => subscription.close()));
}
