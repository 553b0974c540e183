import { sql } from 'kysely';
import type { PriceListFile } from '../prices/load-price-lists.ts';
import { createPriceBook, type PriceBook } from '../prices/price-book.ts';
import { PriceListError, parsePriceList } from '../prices/price-list.ts';
import type { Sql } from './sql.ts';

/**
 * Keeps new versions of price lists and returns the book of all that were ever kept. A version that is here already must
 * not have changed, because usage was priced by it: that is refused with PriceListError.
 */
export async function keepPriceLists(db: Sql, files: readonly PriceListFile[]): Promise<PriceBook> {
  for (const { name, document, list } of files) {
    const text = JSON.stringify(document);
    await sql`INSERT INTO price_list (id, name, effective_from, document)
      VALUES (${list.id}, ${list.name}, ${list.effectiveFromMs}::int8, ${text}::jsonb) ON CONFLICT DO NOTHING`.execute(
      db,
    );
    const kept = await sql`SELECT 1 FROM price_list WHERE id = ${list.id} AND document = ${text}::jsonb`.execute(db);
    if (kept.rows.length === 0) {
      throw new PriceListError(
        `${name}: ${list.id} was changed after it was used; undo that, and give new prices a later effectiveFrom`,
      );
    }
  }
  const all = await sql<{ id: string; document: unknown }>`SELECT id, document FROM price_list`.execute(db);
  return createPriceBook(all.rows.map(({ id, document }) => parsePriceList(document, id)));
}
