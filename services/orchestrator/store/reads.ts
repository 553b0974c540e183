import type { Decision, Instance } from '@skyrun/contracts';
import type { Database } from '@skyrun/postgres';
import { sql } from 'kysely';
import { type InstanceRecord, type RevisionVerdict, toInstance } from '../reconcile/records.ts';
import { fromRow, toVerdict } from './instance-rows.ts';
import type { OrchestratorTables } from './tables.ts';

export interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
}

export interface ServiceQuery {
  readonly project: string;
  readonly service: string;
}

/** Reads that any orchestrator answers, leader or not. */
export interface Reads {
  /** Instances that are not over. */
  activeInstances(): Promise<InstanceRecord[]>;
  verdicts(): Promise<RevisionVerdict[]>;
  listInstances(
    query: ServiceQuery & { readonly endedSince: number | null; readonly limit: number; readonly cursor?: string },
  ): Promise<Page<Instance>>;
  listDecisions(query: ServiceQuery & { readonly limit: number; readonly cursor?: string }): Promise<Page<Decision>>;
  /** When each revision's wanted number was last changed, of the last hour, which is the longest cooldown; Unix milliseconds. */
  lastDecisions(): Promise<ReadonlyMap<string, number>>;
  /** Instances of a service that are not over or ended since then, newest first. */
  serviceInstances(query: ServiceQuery & { readonly endedSince: number }): Promise<InstanceRecord[]>;
  /** Whether an instance of the service ran whose row is still kept. */
  hasRun(query: ServiceQuery): Promise<boolean>;
}

const MOST_INSTANCES_OF_LOGS = 50;

export function createReads(db: Database): Reads {
  const tables = () => db.kysely<OrchestratorTables>();

  return {
    async activeInstances() {
      const rows = await tables().selectFrom('instances').selectAll().where('ended_at', 'is', null).execute();
      return rows.map(fromRow);
    },

    async verdicts() {
      return (await tables().selectFrom('revisions').selectAll().execute()).map(toVerdict);
    },

    async listInstances({ project, service, endedSince, limit, cursor }) {
      let query = tables()
        .selectFrom('instances')
        .selectAll()
        .where('project', '=', project)
        .where('service', '=', service)
        .orderBy('id', 'desc')
        .limit(limit + 1);
      if (cursor !== undefined) query = query.where('id', '<', cursor);
      query =
        endedSince === null
          ? query.where('ended_at', 'is', null)
          : query.where((is) => is.or([is('ended_at', 'is', null), is('ended_at', '>', new Date(endedSince))]));
      const records = (await query.execute()).map(fromRow);
      const items = records.slice(0, limit);
      const last = items.at(-1);
      return {
        items: items.map(toInstance),
        nextCursor: records.length > limit && last ? last.instanceId : null,
      };
    },

    async lastDecisions() {
      const rows = await tables()
        .selectFrom('decisions')
        .select(['revision_id', ({ fn }) => fn.max('at').as('at')])
        .where('at', '>', sql<Date>`now() - interval '1 hour'`)
        .groupBy('revision_id')
        .execute();
      return new Map(rows.map(({ revision_id, at }) => [revision_id, at.getTime()]));
    },

    async listDecisions({ project, service, limit, cursor }) {
      let query = tables()
        .selectFrom('decisions')
        .select(['id', 'decision'])
        .where('project', '=', project)
        .where('service', '=', service)
        .orderBy('id', 'desc')
        .limit(limit + 1);
      if (cursor !== undefined) query = query.where('id', '<', cursor);
      const rows = await query.execute();
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      return {
        items: items.map(({ decision }) => decision),
        nextCursor: rows.length > limit && last ? last.id : null,
      };
    },

    async serviceInstances({ project, service, endedSince }) {
      const rows = await tables()
        .selectFrom('instances')
        .selectAll()
        .where('project', '=', project)
        .where('service', '=', service)
        .where((is) => is.or([is('ended_at', 'is', null), is('ended_at', '>', new Date(endedSince))]))
        .orderBy('id', 'desc')
        .limit(MOST_INSTANCES_OF_LOGS)
        .execute();
      return rows.map(fromRow);
    },

    async hasRun({ project, service }) {
      const row = await tables()
        .selectFrom('instances')
        .select('id')
        .where('project', '=', project)
        .where('service', '=', service)
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
    },
  };
}
