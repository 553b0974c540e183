import type { PriceBook } from './price-book.ts';
import type { PriceList } from './price-list.ts';

export interface ListChange {
  readonly priceList: string;
  /** Unix ms; usage whose window starts then or later is priced by it. */
  readonly effectiveFrom: number;
}

/** The price lists of one account over time, by their names. */
export interface AccountLists {
  /** From the beginning. */
  readonly priceList: string;
  /** Ascending. */
  readonly changes: readonly ListChange[];
}

export function listNameAt({ priceList, changes }: AccountLists, atMs: number): string {
  return changes.findLast(({ effectiveFrom }) => effectiveFrom <= atMs)?.priceList ?? priceList;
}

/** The version of the account's list that prices usage whose window starts at `atMs`. */
export function listAt(prices: PriceBook, account: AccountLists, atMs: number): PriceList {
  return prices.at(listNameAt(account, atMs), atMs);
}
