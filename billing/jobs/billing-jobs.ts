import { monthStart } from '../aggregate/slot.ts';
import { checkBudgets } from '../budget/check-budgets.ts';
import type { BillingContext } from '../context.ts';
import { accrueOpenPeriods, checkLedgers } from '../ledger/check-ledger.ts';
import { closeDuePeriods } from '../period/close-period.ts';
import { accountsWithUnbilledUsage, projectsDue } from '../store/accounts.ts';
import { projectsWithBudgets } from '../store/budgets.ts';
import type { Job } from './job.ts';

const MINUTE_MS = 60_000;

/** Ends and closes the periods that the calendar asks for. */
export function closingJob(context: () => BillingContext, graceMs: number): Job {
  return {
    name: 'close-periods',
    everyMs: MINUTE_MS,
    remembered: true,
    items() {
      const { db, clock } = context();
      const now = clock.now();
      return projectsDue(db.kysely<unknown>(), monthStart(now), now - graceMs);
    },
    run: (project) => closeDuePeriods(context(), project, graceMs),
  };
}

/** Looks at every budget: a forecast rises without usage, and a new month lifts caps. */
export function budgetJob(context: () => BillingContext): Job {
  return {
    name: 'check-budgets',
    everyMs: MINUTE_MS,
    remembered: false,
    items: () => projectsWithBudgets(context().db.kysely<unknown>()),
    run: (project) => checkBudgets(context(), project),
  };
}

export function accrualJob(context: () => BillingContext): Job {
  return {
    name: 'accrue-usage',
    everyMs: 5 * MINUTE_MS,
    remembered: false,
    items: () => accountsWithUnbilledUsage(context().db.kysely<unknown>()),
    run: (project) => accrueOpenPeriods(context(), project),
  };
}

export function ledgerJob(context: () => BillingContext): Job {
  return {
    name: 'check-ledgers',
    everyMs: 5 * MINUTE_MS,
    remembered: true,
    items: () => Promise.resolve(['all']),
    async run() {
      await checkLedgers(context());
    },
  };
}
