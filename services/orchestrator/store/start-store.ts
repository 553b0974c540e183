import type { InstanceStart, StartPhases } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { Database } from '@skyrun/postgres';
import type { Kysely } from 'kysely';
import type { InstanceRecord } from '../reconcile/records.ts';
import type { Page, ServiceQuery } from './reads.ts';
import type { OrchestratorTables } from './tables.ts';

/** A start that is written down with the change of its instance. */
export interface StartEntry {
  readonly phases: StartPhases;
  /** Unix milliseconds. */
  readonly at: number;
  readonly traceId: string | undefined;
}

export async function insertStart(
  tables: Kysely<OrchestratorTables>,
  record: InstanceRecord,
  { phases, at, traceId }: StartEntry,
): Promise<void> {
  const { project, service, revisionId, revisionName, instanceId } = record;
  await tables
    .insertInto('starts')
    .values({
      at: new Date(at),
      project,
      service,
      revision_id: revisionId,
      revision_name: revisionName,
      instance_id: instanceId,
      kind: phases.kind ?? 'created',
      phases: JSON.stringify(phases),
      trace_id: traceId ?? null,
    })
    .execute();
}

/** What became known later of the instance's last start. */
export async function completeStart(
  tables: Kysely<OrchestratorTables>,
  instanceId: string,
  phases: StartPhases,
): Promise<void> {
  await tables
    .updateTable('starts')
    .set({ phases: JSON.stringify(phases) })
    .where('id', '=', ({ selectFrom }) =>
      selectFrom('starts')
        .select(({ fn }) => fn.max('id').as('id'))
        .where('instance_id', '=', instanceId),
    )
    .execute();
}

export type StartsQuery = ServiceQuery & {
  /** Name of a revision; all of them without. */
  readonly revision?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
};

export interface StartStore {
  /** Newest first. */
  list(query: StartsQuery): Promise<Page<InstanceStart>>;
}

export function createStartStore(db: Database): StartStore {
  return {
    async list({ project, service, revision, limit, cursor }) {
      let query = db
        .kysely<OrchestratorTables>()
        .selectFrom('starts')
        .selectAll()
        .where('project', '=', project)
        .where('service', '=', service)
        .orderBy('id', 'desc')
        .limit(limit + 1);
      if (revision !== undefined) query = query.where('revision_name', '=', revision);
      if (cursor !== undefined) query = query.where('id', '<', cursor);
      const rows = await query.execute();
      const kept = rows.slice(0, limit);
      const items = kept.map(
        (row): InstanceStart => ({
          at: isoTime(row.at.getTime()),
          instanceId: row.instance_id,
          revisionId: row.revision_id,
          revisionName: row.revision_name,
          kind: row.kind,
          phases: row.phases,
          ...(row.trace_id === null ? {} : { traceId: row.trace_id }),
        }),
      );
      return { items, nextCursor: rows.length > limit ? (kept.at(-1)?.id ?? null) : null };
    },
  };
}
