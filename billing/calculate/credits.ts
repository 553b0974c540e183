import { byAge, type PriceBook } from '../prices/price-book.ts';
import { type BillingMode, PRICED_UNITS, type PriceList } from '../prices/price-list.ts';
import { exactOf } from '../rate/exact.ts';
import type { RatedQuantity } from '../rate/rate.ts';

export interface ExactCredit {
  readonly description: string;
  /** Negative, or positive where late usage lowered an amount that an earlier credit covered. */
  readonly exact: bigint;
}

type FreeItem = PriceList['freeTier'][number];

const METER_NAMES: Record<FreeItem['meter'], string> = { cpu: 'vCPU', memory: 'memory', requests: 'requests' };
const MODE_NAMES: Record<BillingMode, string> = { request: 'request-based', instance: 'instance-based' };

/**
 * The free tier: per calendar month and kind of usage a credit of at most quantity × price. A month that several
 * periods share has it once: this period gets what the month's credit grew by since the earlier periods.
 */
export function freeTierCredits(rated: readonly RatedQuantity[], ordinal: number, prices: PriceBook): ExactCredit[] {
  const months = [...new Set(rated.map((item) => item.slot.month))].sort((a, b) => a - b);
  return months.flatMap((month) => {
    const inMonth = rated.filter((item) => item.slot.month === month);
    const before = monthCredits(inMonth, ordinal - 1, prices);
    const now = monthCredits(inMonth, ordinal, prices);
    return [...now].flatMap(([key, { item, exact }]) => {
      const growth = exact - (before.get(key)?.exact ?? 0n);
      return growth === 0n ? [] : [{ description: describe(month, item), exact: 0n - growth }];
    });
  });
}

/** What one month's usage of all periods up to `until` is worth in credit. */
export function monthCredits(inMonth: readonly RatedQuantity[], until: number, prices: PriceBook) {
  const counted = inMonth.filter((item) => item.slot.ordinal <= until);
  const lists = counted.map((item) => prices.byId(item.slot.priceList));
  const list = lists.toSorted(byAge).at(-1);
  return new Map(
    (list?.freeTier ?? []).map((item) => {
      const gross = counted
        .filter((one) => one.mode === item.mode && one.meter === item.meter)
        .reduce((sum, one) => sum + one.exact, 0n);
      const budget = exactOf(BigInt(item.quantity) * item.price);
      const exact = clamp(gross, 0n, budget);
      return [`${item.mode}|${item.meter}`, { item, exact }] as const;
    }),
  );
}

function clamp(value: bigint, least: bigint, most: bigint): bigint {
  if (value < least) return least;
  if (value > most) return most;
  return value;
}

function describe(month: number, item: FreeItem): string {
  const unit = PRICED_UNITS[item.per].label;
  const units = item.quantity === 1 || unit.endsWith('s') ? unit : `${unit}s`;
  const quantity = item.quantity.toLocaleString('en-US');
  return `Free tier ${monthName(month)}: ${METER_NAMES[item.meter]}, ${MODE_NAMES[item.mode]} (first ${quantity} ${units})`;
}

/** e.g. `2026-01`. */
export function monthName(month: number): string {
  return new Date(month).toISOString().slice(0, 7);
}
