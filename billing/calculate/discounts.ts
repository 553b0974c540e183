import type { PriceBook } from '../prices/price-book.ts';
import type { RatedQuantity } from '../rate/rate.ts';
import { type ExactCredit, monthCredits, monthName } from './credits.ts';

/** All of an amount, in the unit of a discount’s `percent`. */
const WHOLE = 1_000_000n;

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
  const months = [...new Set(rated.map((item) => item.slot.month))].sort((a, b) => a - b);
  return months.flatMap((month) => {
    const inMonth = rated.filter((item) => item.slot.month === month);
    const before = monthDiscounts(inMonth, ordinal - 1, prices, freeTier);
    const now = monthDiscounts(inMonth, ordinal, prices, freeTier);
    return [...now].flatMap(([key, { description, exact }]) => {
      const growth = exact - (before.get(key)?.exact ?? 0n);
      return growth === 0n ? [] : [{ description: `Discount ${monthName(month)}: ${description}`, exact: 0n - growth }];
    });
  });
}

function monthDiscounts(inMonth: readonly RatedQuantity[], until: number, prices: PriceBook, freeTier: boolean) {
  const counted = inMonth.filter((item) => item.slot.ordinal <= until);
  const byList = Map.groupBy(counted, (item) => item.slot.priceList);
  const newestFirst = [...byList.keys()]
    .map((id) => prices.byId(id))
    .sort((a, b) => b.effectiveFromMs - a.effectiveFromMs);
  let free = freeTier ? sum([...monthCredits(inMonth, until, prices).values()].map(({ exact }) => exact)) : 0n;
  const discounts = new Map<string, ExactCredit>();
  for (const list of newestFirst) {
    const gross = sum((byList.get(list.id) ?? []).map(({ exact }) => exact));
    const base = gross > free ? gross - free : 0n;
    free = free > gross ? free - gross : 0n;
    for (const { name, percent } of list.discounts) {
      // Exact: every rated amount is a multiple of WHOLE, see EXACT_SCALE.
      const exact = (base * percent) / WHOLE;
      discounts.set(`${list.id}|${name}`, { description: `${name} (${showPercent(percent)} %)`, exact });
    }
  }
  return discounts;
}

/** `125000n` is `12.5`. */
function showPercent(percent: bigint): string {
  const text = `${percent / 10_000n}.${String(percent % 10_000n).padStart(4, '0')}`;
  return text.replace(/\.?0+$/, '');
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
