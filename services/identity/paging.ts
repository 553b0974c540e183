import { Problem } from '@skyrun/contracts';

/** A cursor is the last key of the page before, made opaque so that nobody builds one. */
export function encodeCursor(key: string): string {
  return Buffer.from(key).toString('base64url');
}

/** @throws Problem `request.invalid` */
export function decodeCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const key = Buffer.from(cursor, 'base64url').toString('utf8');
  // PostgreSQL has no text with a zero byte, and what we made encodes back to itself.
  if (key === '' || key.includes('\0') || encodeCursor(key) !== cursor) {
    throw new Problem('request.invalid', {
      detail: '#query/cursor: take it from nextCursor of the page before',
      errors: [{ field: '#query/cursor', message: 'expected a nextCursor of the page before' }],
    });
  }
  return key;
}

/** Cuts a list that was read with one item too many. */
export function toPage<Item>(
  items: readonly Item[],
  limit: number,
  keyOf: (item: Item) => string,
): { items: Item[]; nextCursor: string | null } {
  const shown = items.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown, nextCursor: items.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null };
}
