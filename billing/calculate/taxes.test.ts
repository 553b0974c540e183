import { formatMoney, parseMoney } from '@skyrun/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { placeAll } from '../aggregate/accrue.ts';
import { type InstanceTotal, measure } from '../aggregate/measure.ts';
import type { PeriodBounds } from '../aggregate/slot.ts';
import type { StoredUsageRow } from '../aggregate/usage-row.ts';
import { PRICE_LISTS, readPriceLists } from '../prices/load-price-lists.ts';
import { createPriceBook } from '../prices/price-book.ts';
import type { PriceList } from '../prices/price-list.ts';
import { exactOf } from '../rate/exact.ts';
import { JANUARY, LASTS_MS, splitRow, usageRow, usageRows } from '../testing/usage-rows.ts';
import { calculate } from './calculate.ts';
import { creditedTax } from './credited-tax.ts';

const CENT = parseMoney('0.01');
/** In 1/10 000 of a percent, as a price list holds it. */
const percent = (text: string) => parseMoney(text) / 100_000_000n;
const shipped = (await readPriceLists(PRICE_LISTS)).map(({ list }) => list);
const base = createPriceBook(shipped).at('cloud-run-tier-1', JANUARY);

function variant(name: string, taxes: Record<string, string>, discounts: Record<string, string> = {}): PriceList {
  const named = (all: Record<string, string>) =>
    Object.entries(all).map(([what, text]) => ({ name: what, percent: percent(text) }));
  const id = `${name}@2024-01-01T00:00:00Z`;
  return { ...base, id, name, taxes: named(taxes), discounts: named(discounts) };
}
/** Of one date, as two lists are that an account changes between. */
const LISTS = [
  variant('five', { VAT: '5' }),
  variant('two', { VAT: '19', City: '7.25' }, { Loyal: '12.5' }),
  variant('other', { VAT: '7' }),
];
const prices = createPriceBook(LISTS);
const OPEN: readonly PeriodBounds[] = [{ ordinal: 1, startsAt: JANUARY, endsAt: null, closedSeq: null }];

function billOf(totals: readonly InstanceTotal[], ordinal = 1, freeTier = true) {
  return calculate({ totals, ordinal, prices, freeTier, minorUnitPlaces: 2 });
}
const taxOf = (totals: readonly InstanceTotal[], ordinal = 1) => {
  const { taxes, total, totalExact } = billOf(totals, ordinal);
  return { taxes, total, totalExact };
};

/** Usage priced by several lists, as in a period in which the account changed between them. */
const priced: fc.Arbitrary<StoredUsageRow[]> = fc
  .tuple(usageRows, fc.array(fc.nat(LISTS.length - 1), { minLength: 1, maxLength: 7 }))
  .map(([rows, picks]) =>
    rows.map((row, index) => ({ ...row, priceList: LISTS[picks[index % picks.length] ?? 0]?.id ?? '' })),
  );

describe('taxes', () => {
  test.each([
    // 5 % of 0.10, 0.30 and 0.50 are half a cent over a whole one: to the even cent.
    [250_000, '0.10', '0.00', '0.10'],
    [750_000, '0.30', '0.02', '0.32'],
    [1_250_000, '0.50', '0.02', '0.52'],
    // Half a cent of net and no whole one of tax: 0.0125 × 1.05 = 0.013125.
    [31_250, '0.01', '0.00', '0.01'],
    // 0.125 × 1.05 = 0.13125: the net is a tie by itself, the total is not.
    [312_500, '0.12', '0.01', '0.13'],
  ])('of %d requests at five percent: net %s, tax %s, total %s', (requests, net, tax, total) => {
    const row = usageRow({ seq: 1, requests, busy: [], priceList: LISTS[0]?.id ?? '' });
    const bill = billOf(measure(placeAll([row], OPEN)), 1, false);
    const sum = bill.taxes.reduce((all, one) => all + one.amount, 0n);
    expect([bill.subtotal, sum, bill.total].map((amount) => formatMoney(amount))).toEqual([net, tax, total]);
  });

  test('are of what free tier and discounts leave, and none is taxed by another', () => {
    const row = usageRow({ seq: 1, requests: 12_000_000, busy: [], priceList: LISTS[1]?.id ?? '' });
    // 12 million at 0.40, two of them free, 12.5 % off: 3.50, of which 19 % and 7.25 %.
    const bill = billOf(measure(placeAll([row], OPEN)), 1, true);
    expect(bill.taxes.map(({ name, exact }) => [name, exact])).toEqual([
      ['VAT', exactOf(parseMoney('0.665'))],
      ['City', exactOf(parseMoney('0.25375'))],
    ]);
    expect(formatMoney(bill.total)).toBe('4.42');
  });

  test('do not depend on the order of arrival', () => {
    const shuffled = priced.chain((rows) =>
      fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })),
    );
    fc.assert(
      fc.property(shuffled, ([rows, order]) => {
        expect(taxOf(measure(placeAll(order, OPEN)))).toEqual(taxOf(measure(placeAll(rows, OPEN))));
      }),
      { numRuns: 150 },
    );
  });

  test('do not depend on how windows were cut', () => {
    fc.assert(
      fc.property(priced, fc.array(fc.nat(LASTS_MS), { maxLength: 5 }), (rows, cuts) => {
        const pieces = cuts.reduce<StoredUsageRow[]>(
          (list, at) => list.flatMap((row) => splitRow(row, JANUARY + at) ?? [row]),
          rows,
        );
        expect(taxOf(measure(placeAll(pieces, OPEN)))).toEqual(taxOf(measure(placeAll(rows, OPEN))));
      }),
      { numRuns: 150 },
    );
  });

  test('with the lines and credits they are the total, to the cent', () => {
    fc.assert(
      fc.property(priced, fc.boolean(), (rows, freeTier) => {
        const bill = billOf(measure(placeAll(rows, OPEN)), 1, freeTier);
        const parts = [...bill.lines, ...bill.credits, ...bill.taxes].map(({ amount }) => amount);
        expect(parts.reduce((sum, amount) => sum + amount, 0n)).toBe(bill.total);
        for (const amount of parts) expect(amount % CENT).toBe(0n);
      }),
      { numRuns: 150 },
    );
  });

  test('of the periods of a month add up to those of the month', () => {
    fc.assert(
      fc.property(usageRows, fc.nat(LASTS_MS - 2), fc.nat(40), (drawn, end, closedSeq) => {
        // By one list: of two, which one prices the first tier of the month's egress goes by the period.
        const rows = drawn.map((row) => ({ ...row, priceList: LISTS[1]?.id ?? '' }));
        const endsAt = JANUARY + 1 + end;
        const chain: PeriodBounds[] = [
          { ordinal: 1, startsAt: JANUARY, endsAt, closedSeq },
          { ordinal: 2, startsAt: endsAt, endsAt: null, closedSeq: null },
        ];
        const exact = (totals: readonly InstanceTotal[], ordinals: readonly number[]) => {
          const sums: Record<string, bigint> = {};
          for (const { name, percent: rate, exact: tax } of ordinals.flatMap((n) => billOf(totals, n).taxes)) {
            const key = `${name} ${rate}`;
            sums[key] = (sums[key] ?? 0n) + tax;
          }
          return Object.fromEntries(Object.entries(sums).filter(([, tax]) => tax !== 0n));
        };
        expect(exact(measure(placeAll(rows, chain)), [1, 2])).toEqual(exact(measure(placeAll(rows, OPEN)), [1]));
      }),
      { numRuns: 150 },
    );
  });
});

describe('the tax in what is taken back', () => {
  test.each([
    // Of 11.90 with 1.90 of tax.
    ['11.90', '0.00', '1.90'],
    ['5.95', '0.00', '0.95'],
    ['0.01', '0.00', '0.00'],
    // 1.90 ÷ 11.90 × 0.03 = 0.00479: not a cent yet; the next cent of the credit makes it one.
    ['0.03', '0.00', '0.00'],
    ['0.01', '0.03', '0.01'],
  ])('%s after %s is %s', (amount, before, tax) => {
    const invoice = { total: parseMoney('11.90'), tax: parseMoney('1.90') };
    expect(formatMoney(creditedTax(invoice, parseMoney(before), parseMoney(amount), 2))).toBe(tax);
  });

  test('half a cent goes to the even one', () => {
    // Half of what is taken back is tax.
    const invoice = { total: 100n * CENT, tax: 50n * CENT };
    expect(creditedTax(invoice, 0n, CENT, 2)).toBe(0n);
    expect(creditedTax(invoice, 0n, 3n * CENT, 2)).toBe(2n * CENT);
  });

  test('adds up to the tax of the invoice, whatever the parts, and no part is more than itself', () => {
    const cents = (most: number) => fc.bigInt(0n, BigInt(most)).map((n) => n * CENT);
    fc.assert(
      fc.property(cents(100_000), cents(1_000_000), fc.array(fc.nat(1000), { maxLength: 12 }), (net, tax, weights) => {
        const total = net + tax;
        fc.pre(total > 0n);
        const sum = BigInt(weights.reduce((all, weight) => all + weight, 1));
        const parts = weights.map((weight) => ((total / CENT) * BigInt(weight)) / sum).map((part) => part * CENT);
        parts.push(total - parts.reduce((all, part) => all + part, 0n));
        let before = 0n;
        let taken = 0n;
        for (const part of parts) {
          const within = creditedTax({ total, tax }, before, part, 2);
          expect(within >= 0n && within <= part + CENT).toBe(true);
          taken += within;
          before += part;
        }
        expect(taken).toBe(tax);
      }),
      { numRuns: 300 },
    );
  });
});
