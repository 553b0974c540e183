import { expect, test } from 'vitest';
import { placeAll } from '../aggregate/accrue.ts';
import { measure } from '../aggregate/measure.ts';
import { PRICE_LISTS, readPriceLists } from '../prices/load-price-lists.ts';
import { createPriceBook } from '../prices/price-book.ts';
import { JANUARY, usageRow } from '../testing/usage-rows.ts';
import { quantitiesOf } from './quantities.ts';

const prices = createPriceBook((await readPriceLists(PRICE_LISTS)).map(({ list }) => list));
const BOUNDARY = JANUARY + 100_000;
const PERIODS = [
  { ordinal: 1, startsAt: JANUARY, endsAt: BOUNDARY, closedSeq: 100 },
  { ordinal: 2, startsAt: BOUNDARY, endsAt: null, closedSeq: null },
];
const life = (seq: number, instanceId: string, windowStart: number, lasts: number) =>
  usageRow({
    seq,
    kind: 'lifetime',
    instanceId,
    billingMode: 'instance',
    cpuMilli: 1000,
    requests: 0,
    windowStart,
    windowEnd: windowStart + lasts,
  });

/** Seconds of each period, of one vCPU. */
function billed(...rows: ReturnType<typeof life>[]): [number, number][] {
  return quantitiesOf(measure(placeAll(rows, PERIODS)), prices)
    .filter(({ meter }) => meter === 'cpu')
    .map(({ slot, amount }) => [slot.ordinal, Number(amount) / 1_000_000]);
}

test.each([
  ['a short life is a minute', [life(1, 'ins_1', JANUARY, 5000)], [[1, 60]]],
  ['a long one is what it is', [life(1, 'ins_1', JANUARY, 75_000)], [[1, 75]]],
  ['a begun tick is a whole one', [life(1, 'ins_1', JANUARY, 75_001)], [[1, 75.1]]],
  [
    'a life over two periods is a minute once, in the first',
    [life(1, 'ins_1', BOUNDARY - 10_000, 10_000), life(2, 'ins_1', BOUNDARY, 30_000)],
    [[1, 60]],
  ],
  [
    'what it lives beyond the minute is the second’s',
    [life(1, 'ins_1', BOUNDARY - 10_000, 10_000), life(2, 'ins_1', BOUNDARY, 70_000)],
    [
      [1, 60],
      [2, 20],
    ],
  ],
  [
    'each instance has a minute of its own',
    [life(1, 'ins_1', JANUARY, 5000), life(2, 'ins_2', JANUARY, 5000)],
    [[1, 120]],
  ],
])('by instance, %s', (_, rows, expected) => {
  expect(billed(...rows)).toEqual(expected);
});
