import { Problem } from '@skyrun/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor, toPage } from './paging.ts';

describe('cursor', () => {
  it('comes back as it went', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9_-]{1,60}$/), (key) => {
        expect(decodeCursor(encodeCursor(key))).toBe(key);
      }),
    );
    expect(decodeCursor(undefined)).toBeNull();
  });

  it.each(['', '!', 'YQ==', 'a b', Buffer.from('a\0').toString('base64url')])('%j is refused', (cursor) => {
    expect(() => decodeCursor(cursor)).toThrow(Problem);
  });
});

describe('toPage', () => {
  it.each([
    [[], null],
    [['a', 'b'], null],
    [['a', 'b', 'c'], 'b'],
  ])('%j of two at most goes on after %s', (items, last) => {
    const page = toPage(items, 2, (item) => item);
    expect(page.items).toEqual(items.slice(0, 2));
    expect(decodeCursor(page.nextCursor ?? undefined)).toBe(last);
  });
});
