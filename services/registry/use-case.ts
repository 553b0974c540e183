import type { Clock } from '@skyrun/kit';
import type { Database } from '@skyrun/postgres';
import type { PublicAddress } from './services/service-state.ts';
import type { Store, Tables } from './store/tables.ts';

/** What most use cases need. */
export interface UseCaseDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly address: PublicAddress;
}

/** The `source` of the registry's events. */
export const SOURCE = 'registry';

/** Several reads that see the database as it is at one moment. */
export async function atOneMoment<Result>(db: Database, read: (store: Store) => Promise<Result>): Promise<Result> {
  return await db.transaction((tx) => read(tx.kysely<Tables>()), { isolation: 'repeatable read' });
}
