import { LATENCY_BOUNDS_MS } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { CallBook } from './call-book.ts';

const checkout = { name: 'checkout', project: 'shop' };
const stock = { project: 'shop', kind: 'service', name: 'stock' } as const;

test('counts requests, errors and how long they took, and begins anew when it has told', () => {
  const book = new CallBook();
  book.of(checkout, stock)?.end(200, 0.5);
  book.of(checkout, stock)?.end(503, 1e9);
  const latencyBuckets = [1, ...LATENCY_BOUNDS_MS.slice(1).map(() => 0), 1];
  expect(book.take()).toEqual([
    { project: 'shop', from: 'checkout', kind: 'service', to: 'stock', requests: 2, errors: 1, latencyBuckets },
  ]);
  expect(book.take()).toEqual([]);
});

test('a request that was under way while it told is counted when it ends', () => {
  const book = new CallBook();
  const slow = book.of(checkout, stock);
  expect(book.take()).toEqual([]);
  slow?.end(200, 1);
  expect(book.take()).toMatchObject([{ requests: 1 }]);
});

test.each([
  ['no key', null],
  ['a key of another project', { name: 'checkout', project: 'bank' }],
  ['a key whose name is not known', { name: '', project: 'shop' }],
])('%s makes no caller', (_, key) => {
  expect(new CallBook().of(key, stock)).toBeNull();
});

test('never keeps more than 1,000 pairs, and forgets those that are silent for long', () => {
  const book = new CallBook();
  for (let number = 0; number < 1_000; number += 1) book.of(checkout, { ...stock, name: `s${number}` });
  expect(book.of(checkout, stock)).toBeNull();
  for (let told = 0; told < 60; told += 1) expect(book.take()).toEqual([]);
  expect(book.of(checkout, stock)).not.toBeNull();
});
