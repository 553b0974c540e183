import { sql } from 'kysely';
import type { PriceListFile } from '../prices/load-price-lists.ts';
import { createPriceBook, type PriceBook } from '../prices/price-book.ts';
import { type PriceList, PriceListError, parsePriceList } from '../prices/price-list.ts';
import type { Sql } from './sql.ts';

/** The versions that are kept; another replica may add one at any time, long before it is in force. */
export interface LivePriceBook extends PriceBook {
  /** Reads the versions that came since. Usage may be priced by one, so whatever reads usage asks this first. */
  refresh(db: Sql): Promise<void>;
}

/**
 * Keeps new versions of price lists and returns the book of all that were ever kept. A version that is here already must
 * not have changed, because usage was priced by it: that is refused with PriceListError.
 */
export async function keepPriceLists(db: Sql, files: readonly PriceListFile[]): Promise<LivePriceBook> {
  for (const { name, document, list } of files) {
    await insertPriceList(db, list, document);
    const kept = await sql`SELECT 1 FROM price_list
      WHERE id = ${list.id} AND document = ${JSON.stringify(document)}::jsonb`.execute(db);
    if (kept.rows.length === 0) {
      throw new PriceListError(
        `${name}: ${list.id} was changed after it was used; undo that, and give new prices a later effectiveFrom`,
      );
    }
  }
  let book = await readBook(db);
  return {
    at: (name, atMs) => book.at(name, atMs),
    byId: (id) => book.byId(id),
    all: () => book.all(),
    async refresh(connection) {
      const found = await sql<{ count: number }>`SELECT count(*)::int4 AS count FROM price_list`.execute(connection);
      if (found.rows[0]?.count !== book.all().length) book = await readBook(connection);
    },
  };
}

/** Returns false where the version is there already. */
export async function insertPriceList(db: Sql, list: PriceList, document: unknown): Promise<boolean> {
  const added = await sql`INSERT INTO price_list (id, name, effective_from, document)
    VALUES (${list.id}, ${list.name}, ${list.effectiveFromMs}::int8, ${JSON.stringify(document)}::jsonb)
    ON CONFLICT DO NOTHING RETURNING 1`.execute(db);
  return added.rows.length > 0;
}

/** One version as it was written; undefined where there is none. */
export async function findPriceListDocument(db: Sql, id: string): Promise<unknown> {
  const found = await sql<{ document: unknown }>`SELECT document FROM price_list WHERE id = ${id}`.execute(db);
  return found.rows[0]?.document;
}

async function readBook(db: Sql): Promise<PriceBook> {
  const all = await sql<{ id: string; document: unknown }>`SELECT id, document FROM price_list`.execute(db);
  return createPriceBook(all.rows.map(({ id, document }) => parsePriceList(document, id)));
}
