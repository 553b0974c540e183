import type { Database } from '@skyrun/postgres';
import type { Selectable } from 'kysely';
import type { InstanceCounts } from '../reconcile/world.ts';
import type { Tally } from '../traffic/tally.ts';
import type { ServiceQuery } from './reads.ts';
import type { OrchestratorTables } from './tables.ts';

export interface MetricRow extends ServiceQuery {
  readonly revisionId: string;
  /** Start of the step, Unix milliseconds. */
  readonly at: number;
  readonly tally: Readonly<Tally>;
  readonly instances: InstanceCounts;
}

export interface MetricsStore {
  write(rows: readonly MetricRow[]): Promise<void>;
  /** Of all services. */
  readAll(since: number): Promise<MetricRow[]>;
  read(query: ServiceQuery & { readonly since: number }): Promise<MetricRow[]>;
}

export function createMetricsStore(db: Database): MetricsStore {
  const tables = () => db.kysely<OrchestratorTables>();
  return {
    async write(rows) {
      if (rows.length === 0) return;
      await tables()
        .insertInto('metrics')
        .values(
          rows.map(({ project, service, revisionId, at, tally, instances }) => ({
            project,
            service,
            revision_id: revisionId,
            at: new Date(at),
            requests: tally.requests,
            concurrency_ms: tally.concurrencyMs,
            queued: tally.queued,
            status_classes: JSON.stringify(tally.statusClasses),
            latency_buckets: JSON.stringify(tally.latencyBuckets),
            ready: instances.ready,
            starting: instances.starting,
          })),
        )
        // A step that two leaders saw the two halves of: the later half is lost, and says so nowhere but here.
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    async read({ project, service, since }) {
      const rows = await tables()
        .selectFrom('metrics')
        .selectAll()
        .where('project', '=', project)
        .where('service', '=', service)
        .where('at', '>=', new Date(since))
        .orderBy('at')
        .execute();
      return rows.map(fromRow);
    },
    async readAll(since) {
      const query = tables().selectFrom('metrics').selectAll().where('at', '>=', new Date(since)).orderBy('at');
      return (await query.execute()).map(fromRow);
    },
  };
}

function fromRow(row: Selectable<OrchestratorTables['metrics']>): MetricRow {
  return {
    project: row.project,
    service: row.service,
    revisionId: row.revision_id,
    at: row.at.getTime(),
    tally: {
      requests: row.requests,
      concurrencyMs: row.concurrency_ms,
      queued: row.queued,
      statusClasses: row.status_classes,
      latencyBuckets: row.latency_buckets,
    },
    instances: { ready: row.ready, starting: row.starting },
  };
}
