import { parseMoney } from '@skyrun/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forecastMonth } from './forecast.ts';
import { reachedThresholds } from './thresholds.ts';

const DAY_MS = 86_400_000;
const JANUARY = Date.UTC(2026, 0, 1);
const units = (...amounts: number[]) => amounts.map((amount) => BigInt(amount) * 10n ** 12n);

describe('a forecast', () => {
  test.each([
    // January has 31 days. Ten whole days at 2, the eleventh just began: 21 days to come.
    ['an even pace has no band', [...Array(10).fill(2), 0], 10, { expected: 62, low: 62, high: 62, wholeDays: 10 }],
    ['days before the first use do not slow the pace', [0, 0, 0, 2, 2, 0], 5, { expected: 4 + 26 * 2, wholeDays: 2 }],
    ['without a whole day it is the pace of today', [3], 0.5, { expected: 3 + 6 * 30.5, low: 3, wholeDays: 0 }],
    ['nothing is expected of nothing', [0, 0], 1.5, { expected: 0, low: 0, high: 0, wholeDays: 0 }],
    // Deviation of 1, 3, 1, 3 is 1.1547; 27 days to come: 1.96 × 1.1547 × √27 = 11.76.
    ['uneven days widen the band', [1, 3, 1, 3, 0], 4, { expected: 8 + 54, low: 8 + 54 - 11.76, high: 8 + 54 + 11.76 }],
  ])('%s', (_, days, passed, wanted) => {
    const forecast = forecastMonth(units(...days), JANUARY + passed * DAY_MS);
    for (const [field, value] of Object.entries(wanted)) {
      const said = forecast[field as keyof typeof wanted];
      expect(typeof said === 'bigint' ? Number(said) / 1e12 : said, field).toBeCloseTo(value, 2);
    }
  });

  test('never expects less than what is spent, and lies in its band', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 31 }), fc.nat(DAY_MS - 1), (days, into) => {
        const { spent, low, expected, high } = forecastMonth(
          units(...days),
          JANUARY + (days.length - 1) * DAY_MS + into,
        );
        expect(spent <= low && low <= expected && expected <= high).toBe(true);
      }),
    );
  });
});

test.each([
  ['0.00', '0.00', []],
  ['4.99', '9.99', []],
  ['5.00', '9.99', ['actual 50']],
  ['5.00', '10.00', ['actual 50', 'forecast 100']],
  ['10.00', '30.00', ['actual 50', 'actual 100', 'forecast 100']],
])('of a budget of 10, %s spent and %s expected reach %j', (spent, expected, wanted) => {
  const budget = {
    amount: parseMoney('10'),
    thresholds: [
      { percent: 50, basis: 'actual' as const },
      { percent: 100, basis: 'actual' as const },
      { percent: 100, basis: 'forecast' as const },
    ],
  };
  const reached = reachedThresholds(budget, { spent: parseMoney(spent), expected: parseMoney(expected) });
  expect(reached.map(({ basis, percent }) => `${basis} ${percent}`)).toEqual(wanted);
});
