import { expect, test } from 'vitest';
import { toCents } from '../format/money.ts';
import { dayColumns } from './analysis/day-columns.ts';
import { percentText } from './analysis/percent.ts';
import { byAmount, largest, shareOf } from './share.ts';

test.each([
  ['0.5', '1', 0.5],
  ['0', '0', 0],
  ['5', '1', 1],
  ['-1', '10', 0],
  ['0.000000000001', '0.000000000004', 0.25],
])('%s of %s is %s of the bar', (part, whole, share) => {
  expect(shareOf(part, whole)).toBe(share);
});

test('amounts compare as amounts and not as text', () => {
  expect(largest(['9', '10.5', '0.1'])).toBe('10.5');
  expect(byAmount([{ amount: '9' }, { amount: '10' }, { amount: '-3' }]).map(({ amount }) => amount)).toEqual([
    '10',
    '9',
    '-3',
  ]);
});

test.each([
  ['1.005', '1.00'],
  ['1.015', '1.02'],
  ['-0.004', '0.00'],
  ['1234.5', '1234.50'],
])('%s is shown as %s', (amount, shown) => {
  expect(toCents(amount)).toBe(shown);
});

test.each([
  [null, '–'],
  [0, '0.0 %'],
  [0.0004, '< 0.1 %'],
  [0.054, '5.4 %'],
  [0.5, '50 %'],
])('a share of %s reads %s', (share, text) => {
  expect(percentText(share)).toBe(text);
});

test('every day of the range has a column, over the end of a month too', () => {
  const columns = dayColumns(
    [{ key: '2026-02-01', amount: '2', idleAmount: '1' }],
    '2026-01-31T00:00:00.000Z',
    '2026-02-03T00:00:00.000Z',
  );
  expect(columns.map(({ day, amount }) => [day, amount])).toEqual([
    ['2026-01-31', '0'],
    ['2026-02-01', '2'],
    ['2026-02-02', '0'],
  ]);
});
