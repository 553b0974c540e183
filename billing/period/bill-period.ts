import { type Bill, calculate } from '../calculate/calculate.ts';
import { listAt } from '../prices/account-list.ts';
import type { PriceList } from '../prices/price-list.ts';
import type { Account, Period } from '../store/accounts.ts';
import type { LivePriceBook } from '../store/price-lists.ts';
import type { Sql } from '../store/sql.ts';
import { loadTotals } from '../store/totals.ts';

export interface PeriodBill {
  readonly bill: Bill;
  /** The list in force when the period began; a later version prices later usage. */
  readonly list: PriceList;
  /** Ids of all versions that priced something, or of `list`. */
  readonly priceLists: string;
  /** Unix ms; null without usage. */
  readonly usageUntil: number | null;
  readonly usageRows: number;
  readonly requests: ReadonlyMap<string, number>;
}

/** The bill of a period as of now: of the live cost page while it is open, of the invoice when it closes. */
export async function billPeriod(
  db: Sql,
  account: Account,
  period: Period,
  prices: LivePriceBook,
): Promise<PeriodBill> {
  await prices.refresh(db);
  const totals = await loadTotals(db, account.project, period.ordinal);
  const list = listAt(prices, account, period.startsAt);
  const own = totals.filter((total) => total.slot.ordinal === period.ordinal);
  const used = [...new Set(own.map((total) => total.slot.priceList))].sort();
  const requests = new Map<string, number>();
  for (const { service, requests: count } of own) requests.set(service, (requests.get(service) ?? 0) + count);
  const until = own.reduce((latest, total) => Math.max(latest, total.usageUntil), 0);
  return {
    bill: calculate({
      totals,
      ordinal: period.ordinal,
      prices,
      freeTier: account.freeTier,
      minorUnitPlaces: list.minorUnitPlaces,
    }),
    list,
    priceLists: used.length === 0 ? list.id : used.join(', '),
    usageUntil: until === 0 ? null : until,
    usageRows: own.reduce((sum, total) => sum + total.requestRows + total.lifetimeRows, 0),
    requests,
  };
}
