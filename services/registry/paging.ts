import { Problem } from '@skyrun/contracts';

interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
}

/**
 * One page by key: `read` gives up to `limit` rows after a key, in order. The cursor is the last row's key, so rows that
 * come and go between two pages neither repeat nor hide others.
 * @throws Problem `request.invalid` for a cursor that is not of this list
 */
export async function readPage<Row, Item>(options: {
  readonly list: string;
  readonly query: PageQuery;
  readonly read: (after: string | null, limit: number) => Promise<readonly Row[]>;
  readonly keyOf: (row: Row) => string;
  readonly view: (row: Row) => Item;
}): Promise<Page<Item>> {
  const { list, query, read, keyOf, view } = options;
  const after = query.cursor === undefined ? null : decodeCursor(list, query.cursor);
  const rows = await read(after, query.limit + 1);
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1);
  const more = rows.length > query.limit && last !== undefined;
  return { items: shown.map(view), nextCursor: more ? encodeCursor(list, keyOf(last)) : null };
}

export function encodeCursor(list: string, key: string): string {
  return Buffer.from(`${list}:${key}`).toString('base64url');
}

export function decodeCursor(list: string, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!text.startsWith(`${list}:`)) {
    const error = { field: '#query/cursor', message: `expected a nextCursor of an earlier page of ${list}` };
    throw new Problem('request.invalid', { detail: `${error.field}: ${error.message}`, errors: [error] });
  }
  return text.slice(list.length + 1);
}
