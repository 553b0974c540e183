import type {
  Domain,
  Instance,
  RevisionTemplate,
  Rollout,
  RolloutPolicy,
  Service,
  ServiceSpec,
} from '@skyrun/contracts';
import type { ColumnType, Generated, Kysely, Selectable } from 'kysely';

/** Written as JSON text, because `pg` would write an array as an array of PostgreSQL. */
type Json<Value> = ColumnType<Value, string, string>;

/** A share of a service's traffic, resolved to a revision. */
export interface RoutedTarget {
  readonly revisionId: string;
  readonly revisionName: string;
  readonly percent: number;
  readonly tag?: string;
  /** It follows the latest ready revision. */
  readonly latestRevision: boolean;
}

/** Why traffic does not go where the spec says. */
export interface RouteProblem {
  readonly status: 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** RFC 3339. */
  readonly since: string;
}

export interface ServicesTable {
  id: string;
  project: string;
  name: string;
  generation: number;
  spec: Json<ServiceSpec>;
  latest_created_id: string;
  latest_ready_id: string | null;
  route_since: Date | null;
  routed: Json<readonly RoutedTarget[]>;
  warming: Json<readonly string[]>;
  route_problem: ColumnType<RouteProblem | null, string | null, string | null>;
  rollout_id: string | null;
  created_at: Date;
  updated_at: Date;
  deleted_at: Date | null;
}

export type RevisionState = 'pending' | 'ready' | 'failed';

export interface RevisionsTable {
  id: string;
  service_id: string;
  project: string;
  service: string;
  number: number;
  name: string;
  image_digest: string;
  image_reference: string;
  template: Json<RevisionTemplate>;
  state: Generated<RevisionState>;
  reason: string | null;
  message: string | null;
  state_since: Date;
  observed_version: Generated<number>;
  created_at: Date;
  retired_at: Date | null;
  lingers_until: Date | null;
}

export interface RolloutsTable {
  id: string;
  service_id: string;
  from_revision_id: string;
  from_revision: string;
  to_revision_id: string;
  to_revision: string;
  policy: Json<RolloutPolicy>;
  state: Rollout['state'];
  /** Index into the policy's steps. */
  step: number;
  percent: number;
  sentence: string;
  started_at: Date;
  step_since: Date;
  ended_at: Date | null;
  decisions: Json<Rollout['decisions']>;
}

export interface InstancesTable {
  id: string;
  service_id: string;
  revision_id: string;
  state: Instance['state'];
  data: Json<Instance>;
  observed_version: Generated<number>;
  observed_at: Date;
}

export interface ImagesTable {
  id: string;
  project: string;
  name: string;
  digest: string;
  reference: string;
  tag: string;
  /** bigint: `pg` reads it as text. */
  size_bytes: ColumnType<string, number, number>;
  layers: number;
  os: string;
  architecture: string;
  exposed_ports: number[];
  user_name: string;
  created_at: Date;
}

export interface SecretsTable {
  id: string;
  project: string;
  name: string;
  latest_version: number;
  created_at: Date;
}

export interface SecretVersionsTable {
  secret_id: string;
  version: number;
  sealed: Buffer;
  key_id: string;
  created_at: Date;
}

export interface DomainsTable {
  project: string;
  name: string;
  service_id: string;
  service: string;
  token: string;
  state: Domain['state'];
  reason: Domain['reason'];
  message: string;
  created_at: Date;
  verified_at: Date | null;
  checked_at: Date | null;
  missing_since: Date | null;
  next_check_at: Date;
}

export interface Tables {
  services: ServicesTable;
  revision_counters: { project: string; service: string; last: number };
  revisions: RevisionsTable;
  rollouts: RolloutsTable;
  domains: DomainsTable;
  secrets: SecretsTable;
  secret_versions: SecretVersionsTable;
  instances: InstancesTable;
  images: ImagesTable;
  image_tags: { project: string; name: string; tag: string; image_id: string };
  image_intents: { id: string; reference: string; kind: 'import' | 'remove'; lease_until: Date };
  paused_projects: { project: string; reason: string; since: Date };
  idempotency_keys: {
    caller: string;
    operation: string;
    key: string;
    request_hash: string;
    response: Json<Service>;
    created_at: Date;
  };
}

/** The registry's tables, in or out of a transaction. */
export type Store = Kysely<Tables>;
export type ServiceRow = Selectable<ServicesTable>;
export type RevisionRow = Selectable<RevisionsTable>;
export type DomainRow = Selectable<DomainsTable>;
export type SecretRow = Selectable<SecretsTable>;
export type SecretVersionRow = Selectable<SecretVersionsTable>;
export type RolloutRow = Selectable<RolloutsTable>;
export type ImageRow = Selectable<ImagesTable>;
