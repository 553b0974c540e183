import { type Clock, ManualClock, silentLogger } from '@skyrun/kit';
import { createDatabase } from '@skyrun/postgres';
import type { BillingContext } from '../context.ts';
import { PRICE_LISTS, readPriceLists } from '../prices/load-price-lists.ts';
import { keepPriceLists } from '../store/price-lists.ts';
import { NOON } from './usage-events.ts';

export interface TestBilling extends BillingContext {
  readonly clock: ManualClock;
  readonly databaseUrl: string;
  /** The same database through other connections, as another replica has it. */
  replica(): BillingContext;
  close(): Promise<void>;
}

/** Billing's use cases on an empty database, with the real migrations and price lists; an hour past NOON. */
export async function testBilling(
  { url, drop }: { readonly url: string; drop(): Promise<void> },
  newAccount = { priceList: 'cloud-run-tier-1', freeTier: false },
): Promise<TestBilling> {
  const clock = new ManualClock(NOON + 3_600_000);
  const open = () =>
    createDatabase({ url, schema: 'billing', applicationName: 'billing-test', poolSize: 4, logger: silentLogger });
  const db = open();
  await db.migrate(new URL('../migrations/', import.meta.url));
  const prices = await keepPriceLists(db.kysely<unknown>(), await readPriceLists(PRICE_LISTS));
  const opened = [db];
  return {
    db,
    clock,
    logger: silentLogger,
    prices,
    newAccount,
    databaseUrl: url,
    replica() {
      const other = open();
      opened.push(other);
      const shared: Clock = clock;
      return { db: other, clock: shared, logger: silentLogger, prices, newAccount };
    },
    async close() {
      await Promise.all(opened.map((one) => one.close()));
      await drop();
    },
  };
}
