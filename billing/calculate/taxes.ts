import type { PriceBook } from '../prices/price-book.ts';
import type { RatedQuantity } from '../rate/rate.ts';
import { WHOLE } from './discounts.ts';
import { monthNet, monthsOf } from './month-net.ts';

export interface ExactTax {
  readonly name: string;
  /** In 1/10 000 of a percent. */
  readonly percent: bigint;
  /** See EXACT_SCALE; negative where late usage lowered what was taxed before. */
  readonly exact: bigint;
}

/**
 * Taxes on the unrounded amount that free tier and discounts leave, at the rates of the price list version that priced
 * it. Of each month a period bears what its tax grew by since the earlier periods, so the periods' taxes add up.
 */
export function taxesOf(
  rated: readonly RatedQuantity[],
  ordinal: number,
  prices: PriceBook,
  freeTier: boolean,
): ExactTax[] {
  const taxes = new Map<string, ExactTax>();
  const add = (inMonth: readonly RatedQuantity[], until: number, sign: bigint) => {
    for (const { list, afterFreeTier } of monthNet(inMonth, until, prices, freeTier)) {
      const off = list.discounts.reduce((sum, { percent }) => sum + percent, 0n);
      const net = (afterFreeTier * (WHOLE - off)) / WHOLE;
      for (const { name, percent } of list.taxes) {
        const key = `${name}|${percent}`;
        // Exact: `net` is a multiple of WHOLE still, see EXACT_SCALE.
        const exact = (taxes.get(key)?.exact ?? 0n) + (sign * net * percent) / WHOLE;
        taxes.set(key, { name, percent, exact });
      }
    }
  };
  for (const month of monthsOf(rated)) {
    const inMonth = rated.filter((item) => item.slot.month === month);
    add(inMonth, ordinal - 1, -1n);
    add(inMonth, ordinal, 1n);
  }
  return [...taxes.values()].filter(({ exact }) => exact !== 0n);
}
