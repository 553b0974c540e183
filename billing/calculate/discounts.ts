import type { PriceBook } from '../prices/price-book.ts';
import { showPercent } from '../prices/price-list.ts';
import type { RatedQuantity } from '../rate/rate.ts';
import { type ExactCredit, monthName } from './credits.ts';
import { monthNet, monthsOf, type VersionNet } from './month-net.ts';

/** All of an amount, in the unit of a `percent`. */
export const WHOLE = 1_000_000n;

/**
 * Percent off what is left to pay after the free tier, by the discounts of the price list version that priced it. Like
 * the free tier it is of a month, and a period gets what the month's discount grew by since the earlier periods.
 */
export function discountCredits(
  rated: readonly RatedQuantity[],
  ordinal: number,
  prices: PriceBook,
  freeTier: boolean,
): ExactCredit[] {
  return monthsOf(rated).flatMap((month) => {
    const inMonth = rated.filter((item) => item.slot.month === month);
    const before = byName(monthNet(inMonth, ordinal - 1, prices, freeTier));
    const now = byName(monthNet(inMonth, ordinal, prices, freeTier));
    return [...now].flatMap(([key, { description, exact }]) => {
      const growth = exact - (before.get(key)?.exact ?? 0n);
      return growth === 0n ? [] : [{ description: `Discount ${monthName(month)}: ${description}`, exact: 0n - growth }];
    });
  });
}

function byName(month: readonly VersionNet[]): Map<string, ExactCredit> {
  const discounts = new Map<string, ExactCredit>();
  for (const { list, afterFreeTier } of month) {
    for (const { name, percent } of list.discounts) {
      // Exact: every rated amount is a multiple of WHOLE, see EXACT_SCALE.
      const exact = (afterFreeTier * percent) / WHOLE;
      discounts.set(`${list.id}|${name}`, { description: `${name} (${showPercent(percent)} %)`, exact });
    }
  }
  return discounts;
}
