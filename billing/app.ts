import type { EventBus, Subscription } from '@skyrun/bus';
import { Problem } from '@skyrun/contracts';
import { type Clock, createTicker, type Logger, type ServiceModule } from '@skyrun/kit';
import { createDatabase, createOutboxRelay } from '@skyrun/postgres';
import { createBudgetWatch } from './budget/budget-watch.ts';
import { checkAllBudgets, checkBudgets } from './budget/check-budgets.ts';
import type { BillingConfig } from './config.ts';
import { subscribeUsage } from './consumers.ts';
import type { BillingContext } from './context.ts';
import { createCostFeed } from './cost/cost-feed.ts';
import { getCosts } from './cost/get-costs.ts';
import { accrueOpenPeriods, checkLedgers } from './ledger/check-ledger.ts';
import { closeAllDue } from './period/close-all-due.ts';
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
const LEDGER_EVERY_MS = 5 * MINUTE_MS;

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
  const sweep = createTicker({
    name: 'billing-budgets',
    clock,
    logger,
    everyMs: MINUTE_MS,
    run: (signal) => checkAllBudgets(context(), signal),
  });
  const closing = createTicker({
    name: 'billing-closing',
    clock,
    logger,
    everyMs: MINUTE_MS,
    run: (signal) => closeAllDue(context(), config.SKYRUN_BILLING_GRACE_MINUTES * MINUTE_MS, signal),
  });

  const bookkeeping = createTicker({
    name: 'billing-ledger',
    clock,
    logger,
    everyMs: LEDGER_EVERY_MS,
    async run(signal) {
      await accrueOpenPeriods(context(), signal);
      await checkLedgers(context());
    },
  });

  return {
    name: 'billing',
    api: createRoutes(context),
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
      closing.start();
      bookkeeping.start();
      budgets.start();
      sweep.start();
    },
    async stop() {
      stopped = true;
      await subscription?.close();
      await closing.stop();
      await bookkeeping.stop();
      await budgets.stop();
      await sweep.stop();
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
