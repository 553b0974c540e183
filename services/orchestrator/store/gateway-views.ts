import { type GatewayView, gatewayView } from '@skyrun/contracts';
import type { Database } from '@skyrun/postgres';
import { sql } from 'kysely';
import type { OrchestratorTables } from './tables.ts';

/** A gateway that showed nothing for so long is gone. */
const GONE_AFTER_MS = 300_000;

/** What gateways show of themselves, for every orchestrator to tell. */
export interface GatewayViews {
  put(view: GatewayView, now: number): Promise<void>;
  /** Those that are not gone, by name. */
  list(now: number): Promise<GatewayView[]>;
}

export function createGatewayViews(db: Database): GatewayViews {
  const tables = () => db.kysely<OrchestratorTables>();
  return {
    async put(view, now) {
      await sql`
        INSERT INTO gateway_views (gateway, at, view) VALUES (${view.gateway}, ${new Date(now)}, ${JSON.stringify(view)})
        ON CONFLICT (gateway) DO UPDATE SET at = excluded.at, view = excluded.view`.execute(tables());
    },
    async list(now) {
      const gone = new Date(now - GONE_AFTER_MS);
      await tables().deleteFrom('gateway_views').where('at', '<', gone).execute();
      const rows = await tables().selectFrom('gateway_views').select('view').orderBy('gateway').execute();
      return rows.map(({ view }) => gatewayView.parse(view));
    },
  };
}
