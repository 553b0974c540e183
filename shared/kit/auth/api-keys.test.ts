import { expect, test } from 'vitest';
import { ManualClock } from '../clock.ts';
import { createKeyBook, type KeyCaller, mayByKey } from './api-keys.ts';

const clock = new ManualClock();
const key = (until: string | null) => ({ id: 'key_1', name: 'team', project: 'demo', role: 'viewer' as const, until });

function bookOf(answer: () => unknown) {
  let asked = 0;
  const identity = {
    call: async () => {
      asked += 1;
      return answer();
    },
  };
  return { book: createKeyBook(identity as never, clock), asked: () => asked };
}

test('a key that ends while an answer is believed is refused from then on', async () => {
  const { book, asked } = bookOf(() => ({ key: key(new Date(clock.now() + 1000).toISOString()) }));
  expect(await book.identify('sk_a')).toMatchObject({ kind: 'key', project: 'demo' });
  await clock.advance(1000);
  await expect(book.identify('sk_a')).rejects.toMatchObject({ code: 'auth.invalid_token' });
  expect(asked()).toBe(1);
});

test('identity that did not answer is asked again by the next call', async () => {
  let away = true;
  const { book } = bookOf(() => {
    if (away) throw new Error('away');
    return { key: key(null) };
  });
  await expect(book.identify('sk_b')).rejects.toThrow('away');
  away = false;
  expect(await book.identify('sk_b')).toMatchObject({ userId: 'key_1' });
});

test('a key may do what its role may, in its project alone', () => {
  const caller: KeyCaller = {
    kind: 'key',
    userId: 'key_1',
    email: 'team',
    admin: false,
    expiresAt: Number.POSITIVE_INFINITY,
    project: 'demo',
    role: 'viewer',
  };
  expect(mayByKey(caller, 'services.read', 'demo')).toBe(true);
  expect(mayByKey(caller, 'services.write', 'demo')).toBe(false);
  expect(mayByKey(caller, 'services.read', 'other')).toBe(false);
  expect(mayByKey(caller, 'services.read', null)).toBe(false);
});
