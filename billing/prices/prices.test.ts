import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { placeAll } from '../aggregate/accrue.ts';
import { measure } from '../aggregate/measure.ts';
import { calculate } from '../calculate/calculate.ts';
import { roundExact } from '../rate/exact.ts';
import { JANUARY, usageRow } from '../testing/usage-rows.ts';
import { PRICE_LISTS, readPriceLists } from './load-price-lists.ts';
import { createPriceBook } from './price-book.ts';
import { parsePriceList } from './price-list.ts';

const document: Record<string, unknown> = parse(await readFile(new URL('cloud-run-tier-1.yaml', PRICE_LISTS), 'utf8'));
const shipped = await readPriceLists(PRICE_LISTS);

describe('price lists', () => {
  test('ship with the tier 1 and tier 2 figures', () => {
    const figures = shipped.map(({ list: { id, request, instance } }) => [
      id,
      ...Object.values(request).map(({ price }) => price),
      instance.cpu.price,
      instance.memory.price,
    ]);
    expect(figures).toEqual([
      [
        'cloud-run-tier-1@2024-01-01T00:00:00Z',
        24_000_000n,
        2_500_000n,
        2_500_000n,
        2_500_000n,
        400_000_000_000n,
        18_000_000n,
        2_000_000n,
      ],
      [
        'cloud-run-tier-2@2024-01-01T00:00:00Z',
        33_600_000n,
        3_500_000n,
        3_500_000n,
        3_500_000n,
        400_000_000_000n,
        21_600_000n,
        2_400_000n,
      ],
    ]);
  });

  test.each([
    ['a negative price', { instance: { cpu: { price: '-1', per: 'vcpu_second' } } }, /instance.cpu.price/],
    ['a number that lost digits', { egress: [{ price: 0.12 }] }, /egress.0.price/],
    ['a unit that does not fit', { instance: { cpu: { price: '1', per: 'gib' } } }, /instance.cpu.per/],
    [
      'tiers that do not ascend',
      { egress: [{ upToGib: 5, price: '1' }, { upToGib: 5, price: '1' }, { price: '1' }] },
      /more than 5/,
    ],
    ['tiers that end', { egress: [{ upToGib: 5, price: '1' }] }, /no end/],
    ['an unknown field', { discount: 1 }, /discount/],
    [
      'a free tier in the wrong unit',
      { freeTier: [{ mode: 'request', meter: 'cpu', quantity: 1, price: '1', per: 'gib_second' }] },
      /cpu is not priced per gib_second/,
    ],
  ])('refuse %s', (_, change, message) => {
    expect(() => parsePriceList({ ...document, ...change }, 'x.yaml')).toThrow(message);
  });

  test('have no two versions of one date, and one currency', () => {
    const version = (effectiveFrom: string, currency = 'USD') =>
      parsePriceList({ ...document, effectiveFrom, currency }, 'x.yaml');
    const first = version('2024-01-01T00:00:00Z');
    expect(() => createPriceBook([first, first])).toThrow(/twice/);
    expect(() => createPriceBook([first, version('2025-01-01T00:00:00Z', 'EUR')])).toThrow(/currency/);
    const book = createPriceBook([version('2025-01-01T00:00:00Z'), first]);
    const year = (at: string) => book.at('cloud-run-tier-1', Date.parse(at)).effectiveFrom.slice(0, 4);
    expect(['2023-05-01', '2024-12-31', '2025-01-01', '2026-01-01'].map(year)).toEqual([
      '2024',
      '2024',
      '2025',
      '2025',
    ]);
    expect(() => book.at('gold', 0)).toThrow(/there are: cloud-run-tier-1/);
  });

  test('that change in mid-period split the period', () => {
    const later = parsePriceList(
      {
        ...document,
        effectiveFrom: '2026-01-10T00:00:00Z',
        instance: {
          ...shipped[0]?.list.instance,
          cpu: { price: '0.001', per: 'vcpu_second' },
          memory: { price: '0', per: 'gib_second' },
        },
      },
      'x.yaml',
    );
    const prices = createPriceBook([...shipped.map(({ list }) => list), later]);
    const hour = 3_600_000;
    const rows = [JANUARY, later.effectiveFromMs].map((windowStart, index) =>
      usageRow({
        seq: index + 1,
        kind: 'lifetime',
        billingMode: 'instance',
        windowStart,
        windowEnd: windowStart + hour,
        memoryMib: 0,
        priceList: prices.at('cloud-run-tier-1', windowStart).id,
      }),
    );
    const open = [{ ordinal: 1, startsAt: JANUARY, endsAt: null, closedSeq: null }];
    const { lines } = calculate({
      totals: measure(placeAll(rows, open)),
      ordinal: 1,
      prices,
      freeTier: false,
      minorUnitPlaces: 2,
    });
    // 3600 × 0.000018 = 0.0648 and 3600 × 0.001 = 3.60
    expect(lines.map(({ quantity, unitPrice, amount }) => [quantity, unitPrice, amount])).toEqual([
      [3_600_000_000n, 18_000_000n, 60_000_000_000n],
      [3_600_000_000n, 1_000_000_000n, 3_600_000_000_000n],
    ]);
  });
});

describe('discounts', () => {
  const withDiscounts = (discounts: unknown) =>
    parsePriceList({ ...document, name: 'offer', effectiveFrom: '2024-01-01T00:00:00Z', discounts }, 'offer');
  const list = withDiscounts([
    { name: 'Launch', percent: '12.5' },
    { name: 'Friends', percent: '0.0001' },
  ]);
  const prices = createPriceBook([list]);
  const bill = (requests: number, freeTier: boolean) => {
    const row = usageRow({ seq: 1, requests, busy: [], priceList: list.id });
    const open = [{ ordinal: 1, startsAt: JANUARY, endsAt: null, closedSeq: null }];
    return calculate({ totals: measure(placeAll([row], open)), ordinal: 1, prices, freeTier, minorUnitPlaces: 2 });
  };

  test.each([
    // 10 M requests are 4.00: 12.5 % are 0.50, a ten thousandth of a percent nothing that shows.
    [
      'of list price',
      10_000_000,
      false,
      ['Discount 2026-01: Launch (12.5 %)', 'Discount 2026-01: Friends (0.0001 %)'],
      350n,
    ],
    ['of what the free tier leaves', 12_000_000, true, ['Free tier', 'Discount', 'Discount'], 350n],
    ['of nothing where the free tier covers all', 2_000_000, true, ['Free tier'], 0n],
  ])('are %s', (_, requests, freeTier, credits, cents) => {
    const { total, credits: said, subtotal, totalExact } = bill(requests, freeTier);
    expect(said.map(({ description }) => description)).toEqual(credits.map((text) => expect.stringContaining(text)));
    expect(total).toBe(cents * 10_000_000_000n);
    expect(subtotal + said.reduce((sum, { amount }) => sum + amount, 0n)).toBe(total);
    if (!freeTier) expect(roundExact(totalExact, 12)).toBe(3_499_996_000_000n);
  });

  test('are the same however often a month is closed', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3_000_000), { minLength: 1, maxLength: 12 }), fc.nat(2_000), (counts, second) => {
        const rows = counts.map((requests, index) =>
          usageRow({ seq: index + 1, requests, windowStart: JANUARY + index * 200, priceList: list.id }),
        );
        const exactOfPeriod = (ordinal: number, endsAt: number | null) => {
          const first = { ordinal: 1, startsAt: JANUARY, endsAt, closedSeq: endsAt === null ? null : rows.length };
          const open = { ordinal: 2, startsAt: JANUARY + second, endsAt: null, closedSeq: null };
          const totals = measure(placeAll(rows, endsAt === null ? [first] : [first, open]));
          return calculate({ totals, ordinal, prices, freeTier: true, minorUnitPlaces: 2 }).totalExact;
        };
        const end = JANUARY + second;
        expect(exactOfPeriod(1, end) + exactOfPeriod(2, end)).toBe(exactOfPeriod(1, null));
        expect(exactOfPeriod(1, null)).toBeGreaterThanOrEqual(0n);
      }),
    );
  });

  test.each([
    [
      'more than all',
      [
        { name: 'a', percent: '60' },
        { name: 'b', percent: '40.0001' },
      ],
      /more than 100 percent/,
    ],
    [
      'a name twice',
      [
        { name: 'a', percent: '6' },
        { name: 'a', percent: '4' },
      ],
      /used twice/,
    ],
    ['a negative one', [{ name: 'a', percent: '-6' }], /expected a percentage/],
    ['five decimals', [{ name: 'a', percent: '6.00001' }], /expected a percentage/],
  ])('refuse %s', (_, discounts, message) => {
    expect(() => withDiscounts(discounts)).toThrow(message);
  });
});
