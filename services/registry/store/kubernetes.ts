import type { ColumnType } from 'kysely';
import { type Kysely, sql } from 'kysely';
import type { Json, JsonObject } from '../kubernetes/json.ts';
import type { KindName } from '../kubernetes/kinds.ts';
import type { Tables } from './tables.ts';

/** Written as JSON text, because `pg` would write an array as an array of PostgreSQL. */
type Stored<Value> = ColumnType<Value, string, string>;

export interface KubernetesTables extends Tables {
  kubernetes_metadata: {
    service_id: string;
    edition: number;
    labels: Stored<JsonObject>;
    annotations: Stored<JsonObject>;
    managed_fields: Stored<Json>;
  };
  /** bigint: `pg` reads it as text. */
  kubernetes_clock: { single: boolean; version: string; kept_after: string };
  kubernetes_objects: {
    kind: KindName;
    project: string;
    name: string;
    service_id: string;
    version: string;
    object: Stored<JsonObject>;
  };
  kubernetes_changes: {
    version: string;
    type: ChangeType;
    kind: KindName;
    project: string;
    name: string;
    object: Stored<JsonObject>;
    previous_labels: ColumnType<JsonObject | null, string | null, string | null>;
  };
}

export type KubernetesStore = Kysely<KubernetesTables>;
export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface StoredObject {
  readonly kind: KindName;
  readonly project: string;
  readonly name: string;
  readonly serviceId: string;
  readonly version: bigint;
  readonly object: JsonObject;
}

export interface StoredChange {
  readonly version: bigint;
  readonly type: ChangeType;
  readonly kind: KindName;
  readonly project: string;
  readonly name: string;
  readonly object: JsonObject;
  readonly previousLabels: JsonObject | null;
}

export interface ClockReading {
  readonly version: bigint;
  /** Changes up to here are forgotten. */
  readonly keptAfter: bigint;
}

export async function readClock(store: KubernetesStore): Promise<ClockReading> {
  const row = await store.selectFrom('kubernetes_clock').select(['version', 'kept_after']).executeTakeFirstOrThrow();
  return { version: BigInt(row.version), keptAfter: BigInt(row.kept_after) };
}

/** Takes the numbers after the present one; nobody else takes any until the transaction ends. */
export async function advanceClock(store: KubernetesStore, by: number): Promise<bigint> {
  const row = await store
    .updateTable('kubernetes_clock')
    .set({ version: sql`version + ${by}` })
    .returning('version')
    .executeTakeFirstOrThrow();
  return BigInt(row.version) - BigInt(by);
}

export async function forgetChanges(store: KubernetesStore, upTo: bigint): Promise<void> {
  await store
    .updateTable('kubernetes_clock')
    .set({ kept_after: upTo.toString() })
    .where('kept_after', '<', upTo.toString())
    .execute();
  await store.deleteFrom('kubernetes_changes').where('version', '<=', upTo.toString()).execute();
}

export interface MetadataRow {
  readonly edition: number;
  readonly labels: JsonObject;
  readonly annotations: JsonObject;
  readonly managed_fields: Json;
}

export async function readMetadata(
  store: KubernetesStore,
  serviceIds: readonly string[],
): Promise<ReadonlyMap<string, MetadataRow>> {
  if (serviceIds.length === 0) return new Map();
  const rows = await store
    .selectFrom('kubernetes_metadata')
    .selectAll()
    .where('service_id', 'in', serviceIds)
    .execute();
  return new Map(rows.map((row) => [row.service_id, row]));
}

/** @returns false where somebody else wrote since `edition`; 0 is that nobody ever did */
export async function writeMetadata(
  store: KubernetesStore,
  serviceId: string,
  edition: number,
  values: { readonly labels: JsonObject; readonly annotations: JsonObject; readonly managedFields: Json },
): Promise<boolean> {
  const row = {
    labels: JSON.stringify(values.labels),
    annotations: JSON.stringify(values.annotations),
    managed_fields: JSON.stringify(values.managedFields),
  };
  const written = await store
    .insertInto('kubernetes_metadata')
    .values({ service_id: serviceId, edition: edition + 1, ...row })
    .onConflict((conflict) =>
      conflict
        .column('service_id')
        .doUpdateSet({ ...row, edition: edition + 1 })
        .where('kubernetes_metadata.edition', '=', edition),
    )
    .returning('edition')
    .executeTakeFirst();
  return written !== undefined;
}

export interface ObjectFilter {
  readonly kinds: readonly KindName[];
  /** Null is all. */
  readonly projects: readonly string[] | null;
  readonly serviceIds?: readonly string[];
  readonly name?: string | undefined;
  /** Only what comes after it in the order of project and name. */
  readonly after?: { readonly project: string; readonly name: string } | undefined;
  readonly limit?: number | undefined;
}

/** By project and name. */
export async function findObjects(store: KubernetesStore, filter: ObjectFilter): Promise<StoredObject[]> {
  const { kinds, projects, serviceIds, name, after, limit } = filter;
  if (kinds.length === 0 || projects?.length === 0 || serviceIds?.length === 0) return [];
  const rows = await store
    .selectFrom('kubernetes_objects')
    .selectAll()
    .where('kind', 'in', kinds)
    .$if(projects !== null, (query) => query.where('project', 'in', projects ?? []))
    .$if(serviceIds !== undefined, (query) => query.where('service_id', 'in', serviceIds ?? []))
    .$if(name !== undefined, (query) => query.where('name', '=', name ?? ''))
    .$if(after !== undefined, (query) =>
      query.where(sql<boolean>`(project, name) > (${after?.project ?? ''}, ${after?.name ?? ''})`),
    )
    .orderBy('project')
    .orderBy('name')
    .$if(limit !== undefined, (query) => query.limit(limit ?? 0))
    .execute();
  return rows.map(({ service_id, version, ...row }) => ({ ...row, serviceId: service_id, version: BigInt(version) }));
}

export async function writeChange(
  store: KubernetesStore,
  change: StoredChange & { readonly serviceId: string },
): Promise<void> {
  const { type, kind, project, name, serviceId, object, previousLabels } = change;
  const version = change.version.toString();
  const key = { kind, project, name };
  const stored = JSON.stringify(object);
  if (type === 'DELETED') {
    await store
      .deleteFrom('kubernetes_objects')
      .where('kind', '=', kind)
      .where('project', '=', project)
      .where('name', '=', name)
      .execute();
  } else {
    const values = { service_id: serviceId, version, object: stored };
    await store
      .insertInto('kubernetes_objects')
      .values({ ...key, ...values })
      .onConflict((conflict) => conflict.columns(['kind', 'project', 'name']).doUpdateSet(values))
      .execute();
  }
  await store
    .insertInto('kubernetes_changes')
    .values({
      version,
      type,
      ...key,
      object: stored,
      previous_labels: previousLabels === null ? null : JSON.stringify(previousLabels),
    })
    .execute();
}

export async function changesAfter(
  store: KubernetesStore,
  after: bigint,
  filter: { readonly kind: KindName; readonly projects: readonly string[] | null; readonly name?: string | undefined },
  limit: number,
): Promise<StoredChange[]> {
  const { kind, projects, name } = filter;
  const rows = await store
    .selectFrom('kubernetes_changes')
    .selectAll()
    .where('version', '>', after.toString())
    .where('kind', '=', kind)
    .$if(projects !== null, (query) => query.where('project', 'in', projects?.length === 0 ? [''] : (projects ?? [])))
    .$if(name !== undefined, (query) => query.where('name', '=', name ?? ''))
    .orderBy('version')
    .limit(limit)
    .execute();
  return rows.map(({ version, previous_labels, ...row }) => ({
    ...row,
    version: BigInt(version),
    previousLabels: previous_labels,
  }));
}
