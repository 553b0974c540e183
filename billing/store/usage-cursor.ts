import { sql } from 'kysely';
import type { StoredUsageRow } from '../aggregate/usage-row.ts';
import type { Period } from './accounts.ts';
import { taken } from './list-usage.ts';
import type { Sql } from './sql.ts';
import { decodeUsage, type UsageRecord, usageColumns } from './usage.ts';

const PAGE = 5_000;

/**
 * All rows that a period or an earlier one took, sorted as `measureSorted` wants them, page by page. Must run in a
 * transaction, because the cursor lives in it.
 */
export async function* sortedUsage(db: Sql, project: string, upTo: Period): AsyncIterable<StoredUsageRow[]> {
  await sql`
    DECLARE sorted_usage NO SCROLL CURSOR FOR SELECT ${usageColumns} FROM usage u
    WHERE u.project = ${project} AND ${taken(upTo)}
    ORDER BY u.instance_id COLLATE "C", u.window_start, u.seq`.execute(db);
  for (;;) {
    const page = await sql<UsageRecord>`FETCH ${sql.lit(PAGE)} FROM sorted_usage`.execute(db);
    if (page.rows.length === 0) break;
    yield page.rows.map(decodeUsage);
  }
  await sql`CLOSE sorted_usage`.execute(db);
}
