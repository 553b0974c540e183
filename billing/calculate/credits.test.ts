import { formatMoney, parseMoney } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { placeAll } from '../aggregate/accrue.ts';
import { measure } from '../aggregate/measure.ts';
import { PRICE_LISTS, readPriceLists } from '../prices/load-price-lists.ts';
import { createPriceBook } from '../prices/price-book.ts';
import type { PriceList } from '../prices/price-list.ts';
import { quantitiesOf } from '../rate/quantities.ts';
import { rate } from '../rate/rate.ts';
import { JANUARY, usageRow } from '../testing/usage-rows.ts';
import { calculate } from './calculate.ts';
import { freeTierCredits } from './credits.ts';

const shipped = createPriceBook((await readPriceLists(PRICE_LISTS)).map(({ list }) => list));
const base = shipped.at('cloud-run-tier-1', JANUARY);
const DAY_MS = 86_400_000;
/** Of one list; `free` million requests are free from `effectiveFromMs` on. */
const version = (effectiveFromMs: number, free: number): PriceList => ({
  ...base,
  id: `list@${new Date(effectiveFromMs).toISOString()}`,
  name: 'list',
  effectiveFromMs,
  freeTier: [
    { mode: 'request', meter: 'requests', quantity: free, price: parseMoney('0.40'), per: 'million_requests' },
  ],
});
const [older, newer] = [version(JANUARY, 2), version(JANUARY + 10 * DAY_MS, 5)];
const prices = createPriceBook([older, newer]);
const requests = (seq: number, list: PriceList, millions: number) =>
  usageRow({
    seq,
    requests: millions * 1_000_000,
    busy: [],
    priceList: list.id,
    windowStart: list.effectiveFromMs + seq * 1000,
  });
const OPEN = [{ ordinal: 1, startsAt: JANUARY, endsAt: null, closedSeq: null }];

test.each([
  ['the older, while no other has priced anything', [requests(1, older, 9)], '-0.80'],
  ['the newest that priced anything of the month', [requests(1, older, 9), requests(2, newer, 1)], '-2.00'],
  ['no more than there was', [requests(1, newer, 1)], '-0.40'],
])('the free tier of a month is that of %s', (_, rows, credit) => {
  const bill = calculate({
    totals: measure(placeAll(rows, OPEN)),
    ordinal: 1,
    prices,
    freeTier: true,
    minorUnitPlaces: 2,
  });
  expect(bill.credits.map(({ amount }) => formatMoney(amount))).toEqual([credit]);
});

test('a second period of a month has what the first has left of it', () => {
  const middle = JANUARY + 5000;
  const periods = [
    { ordinal: 1, startsAt: JANUARY, endsAt: middle, closedSeq: 100 },
    { ordinal: 2, startsAt: middle, endsAt: null, closedSeq: null },
  ];
  const rows = [requests(1, older, 1), requests(8, older, 9)];
  const rated = rate(quantitiesOf(measure(placeAll(rows, periods)), prices), prices);
  const [first, second] = [1, 2].map((ordinal) => freeTierCredits(rated, ordinal, prices));
  expect(second).toEqual(first);
  expect(second).toHaveLength(1);
});
