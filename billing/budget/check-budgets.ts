import { type EventDraft, formatMoney } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { appendEvents } from '@skyrun/postgres';
import { monthStart } from '../aggregate/slot.ts';
import { monthName } from '../calculate/credits.ts';
import { type BillingContext, SOURCE } from '../context.ts';
import { capOf, insertAlert, loadBudgets, setCap } from '../store/budgets.ts';
import { monthForecast } from './month-forecast.ts';
import { reachedThresholds } from './thresholds.ts';

/**
 * Compares one project's spending with its budgets. An alert is given once per month, threshold and amount, with its event
 * in the same transaction, whatever number of replicas look at once; so are the two turns of the spending cap:
 *
 *   (none) ──actual cost ≥ a budget with hardCap──► capped ──new month, raise, budget gone──► (none)
 */
export async function checkBudgets(context: BillingContext, project: string): Promise<void> {
  await context.db.transaction(async (tx) => {
    const db = tx.kysely<unknown>();
    // One at a time per project, also where it has no account yet.
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('budget ' || $1::text, 0))`, [project]);
    const budgets = await loadBudgets(db, project);
    const { forecast, currency } = await monthForecast(db, context, project);
    const at = context.clock.now();
    const month = monthStart(at);
    const drafts: EventDraft[] = [];
    const draft = { subject: `projects/${project}`, project };
    for (const budget of budgets) {
      for (const { percent, basis } of reachedThresholds(budget, forecast)) {
        const { spent, expected } = forecast;
        if (!(await insertAlert(db, { budget, month, basis, percent, spent, forecast: expected, at }))) continue;
        const data = {
          budgetId: budget.id,
          name: budget.name,
          project,
          month: monthName(month),
          basis,
          percent,
          amount: formatMoney(budget.amount),
          spent: formatMoney(spent),
          forecast: formatMoney(expected),
          currency,
          at: isoTime(at),
        };
        drafts.push({ ...draft, type: 'skyrun.budget.exceeded.v1', data });
      }
    }
    const before = await capOf(db, project);
    const holding = budgets.find((budget) => budget.hardCap && forecast.spent >= budget.amount);
    if (holding && before === null) {
      await setCap(db, project, holding.id, at);
      const reason = `${formatMoney(forecast.spent)} ${currency} are spent of the ${formatMoney(holding.amount)} of budget ${holding.name}`;
      drafts.push({ ...draft, type: 'skyrun.project.capped.v1', data: { project, budgetId: holding.id, reason } });
    }
    if (!holding && before !== null) {
      await setCap(db, project, null, at);
      const reason = 'no budget with a hard cap is spent';
      drafts.push({ ...draft, type: 'skyrun.project.uncapped.v1', data: { project, budgetId: before, reason } });
    }
    if (drafts.length > 0) await appendEvents(tx, SOURCE, drafts, context.clock);
  });
}
