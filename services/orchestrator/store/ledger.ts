import type { Decision, EventDraft } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import { appendEvents, type Database } from '@skyrun/postgres';
import type { InstanceRecord, RevisionVerdict } from '../reconcile/records.ts';
import { toRow } from './instance-rows.ts';
import { assertTerm, LEASE_NAME } from './lease.ts';
import { completeStart, insertStart, type StartEntry } from './start-store.ts';
import type { OrchestratorTables } from './tables.ts';

/** What changes together, with its events; all of it or nothing. */
export interface Change {
  readonly insert?: InstanceRecord;
  readonly update?: InstanceRecord;
  /** Of the instance in `update`, which takes requests from here on. */
  readonly start?: StartEntry;
  /** Further phases of the last start of the instance in `update` are known. */
  readonly completesStart?: boolean;
  readonly verdict?: RevisionVerdict;
  readonly decision?: { readonly project: string; readonly service: string; readonly decision: Decision };
  readonly events?: readonly EventDraft[];
}

/** The leader's pen: every write is of one term, and fails with LeaseLostError when the term is over. */
export interface Ledger {
  write(change: Change): Promise<void>;
}

export interface LedgerOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly term: bigint;
}

export const EVENT_SOURCE = 'orchestrator';

export function createLedger({ db, clock, term }: LedgerOptions): Ledger {
  return {
    async write(change) {
      await db.transaction(async (tx) => {
        await assertTerm(tx, LEASE_NAME, term);
        const tables = tx.kysely<OrchestratorTables>();
        const { insert, update, verdict, decision, events = [] } = change;
        if (insert) await tables.insertInto('instances').values(toRow(insert)).execute();
        if (update) {
          const { id, ...columns } = toRow(update);
          await tables.updateTable('instances').set(columns).where('id', '=', id).execute();
        }
        if (update && change.start) await insertStart(tables, update, change.start);
        if (update?.startPhases && change.completesStart)
          await completeStart(tables, update.instanceId, update.startPhases);
        if (verdict) {
          const { revisionId, state, reason, message, failures, failedAt, retryAt } = verdict;
          const columns = {
            state,
            reason,
            message,
            failures,
            failed_at: failedAt === 0 ? null : new Date(failedAt),
            retry_at: retryAt === 0 ? null : new Date(retryAt),
            updated_at: new Date(clock.now()),
          };
          await tables
            .insertInto('revisions')
            .values({ revision_id: revisionId, ...columns })
            .onConflict((conflict) => conflict.column('revision_id').doUpdateSet(columns))
            .execute();
        }
        if (decision) {
          await tables
            .insertInto('decisions')
            .values({
              at: new Date(decision.decision.at),
              project: decision.project,
              service: decision.service,
              revision_id: decision.decision.revisionId,
              decision: JSON.stringify(decision.decision),
            })
            .execute();
        }
        await appendEvents(tx, EVENT_SOURCE, events, clock);
      });
    },
  };
}
