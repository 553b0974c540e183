import { type Budget, type BudgetSpec, formatMoney, Problem, parseMoney } from '@skyrun/contracts';
import { isoTime, newId } from '@skyrun/kit';
import type { BillingContext } from '../context.ts';
import { capOf, deleteBudgetRow, loadBudgets, putBudget } from '../store/budgets.ts';
import { checkBudgets } from './check-budgets.ts';
import { monthForecast, showForecast } from './month-forecast.ts';

export async function listBudgets(context: BillingContext, project: string): Promise<Budget[]> {
  const db = context.db.kysely<unknown>();
  const budgets = await loadBudgets(db, project);
  const cap = await capOf(db, project);
  const { forecast, currency } = await monthForecast(db, context, project);
  return budgets.map(({ amount, createdAt, ...budget }) => ({
    ...budget,
    amount: formatMoney(amount),
    currency,
    createdAt: isoTime(createdAt),
    forecast: showForecast(forecast),
    capReached: cap === budget.id,
  }));
}

export function createBudget(context: BillingContext, project: string, spec: BudgetSpec): Promise<Budget> {
  return put(context, project, newId('budget', context.clock), spec, context.clock.now());
}

/** Throws `resource.not_found`, and `resource.already_exists` for a name that another budget has. */
export async function replaceBudget(
  context: BillingContext,
  project: string,
  id: string,
  spec: BudgetSpec,
): Promise<Budget> {
  const old = (await loadBudgets(context.db.kysely<unknown>(), project)).find((budget) => budget.id === id);
  if (!old) throw notFound(project, id);
  return put(context, project, id, spec, old.createdAt);
}

export async function deleteBudget(context: BillingContext, project: string, id: string): Promise<void> {
  if (!(await deleteBudgetRow(context.db.kysely<unknown>(), project, id))) throw notFound(project, id);
  await checkBudgets(context, project);
}

async function put(
  context: BillingContext,
  project: string,
  id: string,
  { name, amount: asked, thresholds, hardCap }: BudgetSpec,
  createdAt: number,
): Promise<Budget> {
  const amount = parseMoney(asked);
  if (amount <= 0n) {
    const message = 'expected more than nothing';
    throw new Problem('request.invalid', { detail: `amount: ${message}`, errors: [{ field: '/amount', message }] });
  }
  const budget = { id, project, name, amount, thresholds, hardCap, createdAt };
  if (!(await putBudget(context.db.kysely<unknown>(), budget))) {
    throw new Problem('resource.already_exists', { detail: `name: project ${project} has a budget ${name}` });
  }
  await checkBudgets(context, project);
  const stored = (await listBudgets(context, project)).find((one) => one.id === id);
  if (!stored) throw notFound(project, id);
  return stored;
}

function notFound(project: string, id: string): Problem {
  return new Problem('resource.not_found', { detail: `project ${project} has no budget ${id}` });
}
