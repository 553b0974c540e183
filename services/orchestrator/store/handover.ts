import { type TrafficReport, trafficReport } from '@skyrun/contracts';
import type { Database } from '@skyrun/postgres';
import { sql } from 'kysely';
import type { OrchestratorTables } from './tables.ts';

/**
 * Traffic reports on their way to the leader: an orchestrator that does not lead puts them down here, the leader takes them
 * up, woken by a notification. While nobody leads they wait for who comes next.
 */
export interface Handover {
  put(report: TrafficReport): Promise<void>;
  /** Those that came within `maxAgeMs`, in order; the others are dropped. */
  take(maxAgeMs: number): Promise<TrafficReport[]>;
  /** Calls back when something was put, or may have been; resolves to what ends it. */
  listen(onPut: () => void): Promise<() => Promise<void>>;
}

const CHANNEL = 'skyrun_orchestrator_traffic';

export function createHandover(db: Database): Handover {
  const tables = () => db.kysely<OrchestratorTables>();
  return {
    async put(report) {
      await tables()
        .insertInto('traffic_handover')
        .values({ report: JSON.stringify(report) })
        .execute();
      await sql`SELECT pg_notify(${CHANNEL}, 'put')`.execute(tables());
    },
    async take(maxAgeMs) {
      const { rows } = await sql<{ id: string; report: unknown; fresh: boolean }>`
        DELETE FROM traffic_handover
        RETURNING id, report, at > now() - ${maxAgeMs} * interval '1 millisecond' AS fresh`.execute(tables());
      return rows
        .filter(({ fresh }) => fresh)
        .toSorted((a, b) => Number(BigInt(a.id) - BigInt(b.id)))
        .map(({ report }) => trafficReport.parse(report));
    },
    listen: (onPut) => db.listen(CHANNEL, () => onPut()),
  };
}
