import { expect, test } from 'vitest';
import { listNameAt } from './account-list.ts';

const account = {
  priceList: 'first',
  changes: [
    { priceList: 'second', effectiveFrom: 100 },
    { priceList: 'first', effectiveFrom: 200 },
  ],
};

test.each([
  [0, 'first'],
  [99, 'first'],
  [100, 'second'],
  [199, 'second'],
  [200, 'first'],
  [1e15, 'first'],
])('at %d it is the %s list', (at, name) => {
  expect(listNameAt(account, at)).toBe(name);
});
