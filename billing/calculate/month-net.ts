import { byAge, type PriceBook } from '../prices/price-book.ts';
import type { PriceList } from '../prices/price-list.ts';
import type { RatedQuantity } from '../rate/rate.ts';
import { monthCredits } from './credits.ts';

/** What one version of a price list priced of a month, and what of it the free tier leaves; exact. */
export interface VersionNet {
  readonly list: PriceList;
  readonly afterFreeTier: bigint;
}

/**
 * The usage of one month in all periods up to `until`, by the version that priced it. The free tier is of the month, not
 * of a version: it is taken off the newest version first.
 */
export function monthNet(
  inMonth: readonly RatedQuantity[],
  until: number,
  prices: PriceBook,
  freeTier: boolean,
): VersionNet[] {
  const counted = inMonth.filter((item) => item.slot.ordinal <= until);
  const byList = Map.groupBy(counted, (item) => item.slot.priceList);
  const newestFirst = [...byList.keys()].map((id) => prices.byId(id)).sort((a, b) => byAge(b, a));
  let free = freeTier ? sum([...monthCredits(inMonth, until, prices).values()].map(({ exact }) => exact)) : 0n;
  return newestFirst.map((list) => {
    const gross = sum((byList.get(list.id) ?? []).map(({ exact }) => exact));
    const afterFreeTier = gross > free ? gross - free : 0n;
    free = free > gross ? free - gross : 0n;
    return { list, afterFreeTier };
  });
}

/** Start of each month (Unix ms) that the quantities are of, ascending. */
export function monthsOf(rated: readonly RatedQuantity[]): number[] {
  return [...new Set(rated.map((item) => item.slot.month))].sort((a, b) => a - b);
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
