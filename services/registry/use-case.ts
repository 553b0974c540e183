import type { Clock } from '@skyrun/kit';
import type { Database } from '@skyrun/postgres';
import type { PublicAddress } from './services/service-state.ts';

/** What most use cases need. */
export interface UseCaseDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly address: PublicAddress;
}

/** The `source` of the registry's events. */
export const SOURCE = 'registry';
