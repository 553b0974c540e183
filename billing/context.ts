import type { Clock, Logger } from '@skyrun/kit';
import type { Database } from '@skyrun/postgres';
import type { LivePriceBook } from './store/price-lists.ts';

/** What every use case of billing works with. */
export interface BillingContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** As of the last `refresh`, which whatever reads usage begins with. */
  readonly prices: LivePriceBook;
  /** For accounts that are opened from now on. */
  readonly newAccount: { readonly priceList: string; readonly freeTier: boolean };
}

/** The producer's name on billing's events. */
export const SOURCE = '/skyrun/billing';
