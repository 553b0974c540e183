import { type CostForecast, formatMoney } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { InstanceTotal } from '../aggregate/measure.ts';
import { DAY_MS, dayStart, monthStart } from '../aggregate/slot.ts';
import { calculate } from '../calculate/calculate.ts';
import type { BillingContext } from '../context.ts';
import { listAt } from '../prices/account-list.ts';
import type { PriceBook } from '../prices/price-book.ts';
import { roundExact } from '../rate/exact.ts';
import { findAccount } from '../store/accounts.ts';
import type { Sql } from '../store/sql.ts';
import { loadDays } from '../store/totals.ts';
import { type Forecast, forecastMonth } from './forecast.ts';

/**
 * Forecast of the calendar month of now, over the usage of that month whatever period bills it. An instance that lived
 * before the month counts its minimum time anew.
 */
export async function monthForecast(
  db: Sql,
  { prices, newAccount, clock }: BillingContext,
  project: string,
): Promise<{ forecast: Forecast; currency: string }> {
  await prices.refresh(db);
  const now = clock.now();
  const account = (await findAccount(db, project)) ?? { project, ...newAccount, changes: [] };
  const list = listAt(prices, account, now);
  const from = monthStart(now);
  const totals = await loadDays(db, project, { fromDay: from, untilDay: dayStart(now) + DAY_MS, byInstance: false });
  const days = dailyCosts(totals, from, now, prices, account.freeTier);
  return { forecast: forecastMonth(days, now), currency: list.currency };
}

/** Cost of each day of the month, net of free tier and discounts, before taxes: what the month's bill grew by on it. */
function dailyCosts(
  totals: readonly InstanceTotal[],
  from: number,
  now: number,
  prices: PriceBook,
  freeTier: boolean,
): bigint[] {
  let before = 0n;
  return Array.from({ length: (dayStart(now) - from) / DAY_MS + 1 }, (_, index) => {
    const known = totals.filter((total) => total.slot.day <= from + index * DAY_MS);
    const { netExact } = calculate({ totals: known, ordinal: 1, prices, freeTier, minorUnitPlaces: 2 });
    const upTo = roundExact(netExact, 12);
    const cost = upTo - before;
    before = upTo;
    return cost;
  });
}

export function showForecast({ spent, expected, low, high, wholeDays, monthEnd }: Forecast): CostForecast {
  return {
    spent: formatMoney(spent),
    expected: formatMoney(expected),
    low: formatMoney(low),
    high: formatMoney(high),
    wholeDays,
    monthEnd: isoTime(monthEnd),
  };
}
