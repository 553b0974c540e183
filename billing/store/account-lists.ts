import { sql } from 'kysely';
import type { ListChange } from '../prices/account-list.ts';
import type { Sql } from './sql.ts';

export interface StoredListChange extends ListChange {
  readonly createdAt: number;
}

/** Newest first, those to come included. */
export async function listChanges(db: Sql, project: string): Promise<StoredListChange[]> {
  const found = await sql<StoredListChange>`
    SELECT price_list AS "priceList", effective_from::float8 AS "effectiveFrom", created_at::float8 AS "createdAt"
    FROM account_price_list WHERE project = ${project} ORDER BY effective_from DESC`.execute(db);
  return found.rows;
}

/** The account must be locked. */
export async function changeList(db: Sql, change: StoredListChange & { readonly project: string }): Promise<void> {
  const { project, priceList, effectiveFrom, createdAt } = change;
  await sql`INSERT INTO account_price_list (project, effective_from, price_list, created_at)
    VALUES (${project}, ${effectiveFrom}::int8, ${priceList}, ${createdAt}::int8)`.execute(db);
}

/** Takes back changes that no usage was priced by yet. The account must be locked. */
export async function dropChangesFrom(db: Sql, project: string, from: number): Promise<void> {
  await sql`DELETE FROM account_price_list
    WHERE project = ${project} AND effective_from >= ${from}::int8`.execute(db);
}

/** Accounts whose list at `at` is another than `priceList`. */
export async function accountsWithOtherList(
  db: Sql,
  priceList: string,
  at: number,
): Promise<{ project: string; priceList: string }[]> {
  const found = await sql<{ project: string; priceList: string }>`
    SELECT project, list AS "priceList" FROM (
      SELECT a.project, coalesce((SELECT c.price_list FROM account_price_list c
        WHERE c.project = a.project AND c.effective_from <= ${at}::int8 ORDER BY c.effective_from DESC LIMIT 1),
        a.price_list) AS list FROM account a) AS now
    WHERE list <> ${priceList} ORDER BY project`.execute(db);
  return found.rows;
}
