import type { UnitPrices } from '@skyrun/contracts';
import type { BillingContext } from '../context.ts';
import { accountsWithOtherList } from '../store/account-lists.ts';
import { showPriceList } from './show-price-list.ts';

/** The versions in force now, and which project has which list. */
export async function listUnitPrices({ db, prices, clock, newAccount }: BillingContext): Promise<UnitPrices> {
  const connection = db.kysely<unknown>();
  await prices.refresh(connection);
  const now = clock.now();
  const names = new Set(prices.all().map(({ name }) => name));
  return {
    defaultList: newAccount.priceList,
    accounts: await accountsWithOtherList(connection, newAccount.priceList, now),
    lists: [...names].map((name) => showPriceList(prices.at(name, now))),
  };
}
