import type { Decision, Instance, StartKind, StartPhases, StatusClasses } from '@skyrun/contracts';
import type { ColumnType, Generated } from 'kysely';

/** JSON columns are written as text, because the driver would take an array for a PostgreSQL array. */
type Json<Value> = ColumnType<Value, string, string>;

interface InstancesTable {
  id: string;
  project: string;
  service: string;
  service_id: string;
  revision_id: string;
  revision_name: string;
  state: Instance['state'];
  node: string;
  address: string | null;
  port: number;
  cpu_milli: number;
  memory_mib: number;
  billing_mode: 'request' | 'instance';
  grace_seconds: number;
  created_at: Date;
  started_at: Date | null;
  ready_at: Date | null;
  draining_at: Date | null;
  ended_at: Date | null;
  reason: string | null;
  exit_code: number | null;
  start_phases: ColumnType<StartPhases | null, string | null, string | null>;
  usage_until: Date | null;
  state_version: number;
  idle_since: Date | null;
  frozen_at: Date | null;
}

interface RevisionsTable {
  revision_id: string;
  state: 'pending' | 'ready' | 'failed';
  reason: string | null;
  message: string | null;
  failures: number;
  retry_at: Date | null;
  failed_at: Date | null;
  updated_at: Date;
}

interface DecisionsTable {
  id: Generated<string>;
  at: Date;
  project: string;
  service: string;
  revision_id: string;
  decision: Json<Decision>;
}

interface StartsTable {
  id: Generated<string>;
  at: Date;
  project: string;
  service: string;
  revision_id: string;
  revision_name: string;
  instance_id: string;
  kind: StartKind;
  phases: Json<StartPhases>;
  trace_id: string | null;
}

interface MetricsTable {
  project: string;
  service: string;
  revision_id: string;
  at: Date;
  requests: number;
  concurrency_ms: number;
  queued: number;
  status_classes: Json<StatusClasses>;
  latency_buckets: Json<number[]>;
  ready: number;
  starting: number;
}

interface LogChunksTable {
  id: Generated<string>;
  project: string;
  service: string;
  revision_name: string;
  instance_id: string;
  first_at: Date;
  last_at: Date;
  lines: number;
  bytes: number;
  body: Buffer;
}

interface TrafficHandoverTable {
  id: Generated<string>;
  at: Generated<Date>;
  report: Json<unknown>;
}

interface GatewayViewsTable {
  gateway: string;
  at: Date;
  view: Json<unknown>;
}

export interface OrchestratorTables {
  leases: { name: string; holder: string; term: string; expires_at: Date };
  instances: InstancesTable;
  log_chunks: LogChunksTable;
  log_positions: { instance_id: string; stdout: string; stderr: string };
  revisions: RevisionsTable;
  decisions: DecisionsTable;
  starts: StartsTable;
  traffic_handover: TrafficHandoverTable;
  gateway_views: GatewayViewsTable;
  metrics: MetricsTable;
}
