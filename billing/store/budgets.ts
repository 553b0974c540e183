import { type BudgetAlert, type BudgetSpec, formatMoney } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { sql } from 'kysely';
import { monthName } from '../calculate/credits.ts';
import type { Sql } from './sql.ts';

export interface StoredBudget {
  readonly id: string;
  readonly project: string;
  readonly name: string;
  /** Pico units. */
  readonly amount: bigint;
  readonly thresholds: BudgetSpec['thresholds'];
  readonly hardCap: boolean;
  readonly createdAt: number;
}

/** Returns false where the project has another budget of that name. */
export async function putBudget(db: Sql, budget: StoredBudget): Promise<boolean> {
  const { id, project, name, amount, thresholds, hardCap, createdAt } = budget;
  const taken = await sql`SELECT 1 FROM budget WHERE project = ${project} AND name = ${name} AND id <> ${id}`.execute(
    db,
  );
  if (taken.rows.length > 0) return false;
  await sql`
    INSERT INTO budget (id, project, name, amount, thresholds, hard_cap, created_at)
    VALUES (${id}, ${project}, ${name}, ${amount.toString()}::numeric, ${JSON.stringify(thresholds)}::jsonb, ${hardCap},
      ${createdAt}::int8)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, amount = excluded.amount, thresholds = excluded.thresholds,
      hard_cap = excluded.hard_cap`.execute(db);
  return true;
}

export async function deleteBudgetRow(db: Sql, project: string, id: string): Promise<boolean> {
  const gone = await sql`DELETE FROM budget WHERE project = ${project} AND id = ${id} RETURNING 1`.execute(db);
  return gone.rows.length > 0;
}

export async function loadBudgets(db: Sql, project: string): Promise<StoredBudget[]> {
  const found = await sql<Omit<StoredBudget, 'amount'> & { amount: string }>`
    SELECT id, project, name, amount::text AS amount, thresholds, hard_cap AS "hardCap", created_at::float8 AS "createdAt"
    FROM budget WHERE project = ${project} ORDER BY name`.execute(db);
  return found.rows.map((row) => ({ ...row, amount: BigInt(row.amount) }));
}

/** Projects with a budget, or with a cap that may have to be lifted. */
export async function projectsWithBudgets(db: Sql): Promise<string[]> {
  const found = await sql<{ project: string }>`
    SELECT project FROM budget UNION SELECT project FROM spending_cap ORDER BY project`.execute(db);
  return found.rows.map((row) => row.project);
}

export interface NewAlert {
  readonly budget: StoredBudget;
  readonly month: number;
  readonly basis: 'actual' | 'forecast';
  readonly percent: number;
  readonly spent: bigint;
  readonly forecast: bigint;
  readonly at: number;
}

/** Returns false where it was given before. */
export async function insertAlert(db: Sql, { budget, month, basis, percent, ...rest }: NewAlert): Promise<boolean> {
  const added = await sql`
    INSERT INTO budget_alert (project, budget_id, name, month, basis, percent, amount, spent, forecast, at)
    VALUES (${budget.project}, ${budget.id}, ${budget.name}, ${month}::int8, ${basis}, ${percent},
      ${budget.amount.toString()}::numeric, ${rest.spent.toString()}::numeric, ${rest.forecast.toString()}::numeric,
      ${rest.at}::int8)
    ON CONFLICT DO NOTHING RETURNING 1`.execute(db);
  return added.rows.length > 0;
}

export interface StoredAlert {
  readonly seq: number;
  readonly alert: Omit<BudgetAlert, 'currency'>;
}

/** Newest first; `before` is the seq to go on after. */
export async function listAlerts(
  db: Sql,
  project: string,
  { before, limit }: { before: number | null; limit: number },
): Promise<StoredAlert[]> {
  const found = await sql<Omit<BudgetAlert, 'currency' | 'at' | 'month'> & { seq: number; at: number; month: number }>`
    SELECT seq::float8 AS seq, project, budget_id AS "budgetId", name, month::float8 AS month, basis, percent,
      amount::text AS amount, spent::text AS spent, forecast::text AS forecast, at::float8 AS at
    FROM budget_alert WHERE project = ${project} AND (${before}::int8 IS NULL OR seq < ${before}::int8)
    ORDER BY seq DESC LIMIT ${limit}`.execute(db);
  return found.rows.map(({ seq, ...row }) => ({
    seq,
    alert: {
      ...row,
      month: monthName(row.month),
      amount: formatMoney(BigInt(row.amount)),
      spent: formatMoney(BigInt(row.spent)),
      forecast: formatMoney(BigInt(row.forecast)),
      at: isoTime(row.at),
    },
  }));
}

/** The budget whose cap holds, or null. */
export async function capOf(db: Sql, project: string): Promise<string | null> {
  const found = await sql<{ id: string }>`SELECT budget_id AS id FROM spending_cap WHERE project = ${project}`.execute(
    db,
  );
  return found.rows[0]?.id ?? null;
}

export async function setCap(db: Sql, project: string, budgetId: string | null, at: number): Promise<void> {
  await sql`DELETE FROM spending_cap WHERE project = ${project}`.execute(db);
  if (budgetId === null) return;
  await sql`INSERT INTO spending_cap (project, budget_id, since) VALUES (${project}, ${budgetId}, ${at}::int8)`.execute(
    db,
  );
}
