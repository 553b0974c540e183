import { type Instance, serviceSpec } from '@skyrun/contracts';
import type { RevisionRow, RolloutRow, ServiceRow } from '../store/tables.ts';
import type { PublicAddress, ServiceState } from './service-state.ts';

/** Builders of states for tables of decisions. Times are seconds after 2026 began. */
const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000);

export const ADDRESS: PublicAddress = { baseDomain: 'localhost', scheme: 'http', port: '8080' };

export function revisionRow(number: number, change: Partial<RevisionRow> = {}): RevisionRow {
  return {
    id: `rev_0190a000-0000-7000-8000-00000000000${number}`,
    service_id: 'svc_0190a000-0000-7000-8000-000000000001',
    project: 'demo',
    service: 'hello',
    number,
    name: `hello-0000${number}`,
    image_digest: `sha256:${String(number).repeat(64)}`,
    image_reference: `skyrun.local/demo/web:${number}`,
    template: serviceSpec.parse({ template: { image: 'web' } }).template,
    state: 'pending',
    reason: null,
    message: null,
    state_since: at(number),
    observed_version: 0,
    created_at: at(number),
    retired_at: null,
    lingers_until: null,
    ...change,
  };
}

export function serviceState(parts: {
  newest: RevisionRow;
  ready?: RevisionRow | null;
  /** Who has the traffic; all of it the ready one, unless told. */
  routed?: ServiceState['routed'];
  warming?: readonly RevisionRow[];
  rollout?: RolloutRow | null;
  instances?: readonly Instance[];
  service?: Partial<ServiceRow>;
}): ServiceState {
  const { newest, ready = null, instances = [], warming = [], rollout = null } = parts;
  const routed = parts.routed ?? (ready === null ? [] : [shareOf(ready, 100)]);
  return {
    service: {
      id: newest.service_id,
      project: 'demo',
      name: 'hello',
      generation: 1,
      spec: serviceSpec.parse({ template: { image: 'web' } }),
      latest_created_id: newest.id,
      latest_ready_id: ready?.id ?? null,
      route_since: ready?.state_since ?? null,
      routed: routed.map(({ revision, ...target }) => target),
      warming: warming.map(({ id }) => id),
      route_problem: null,
      rollout_id: rollout?.id ?? null,
      created_at: at(0),
      updated_at: at(0),
      deleted_at: null,
      ...parts.service,
    },
    newest,
    ready,
    routed,
    warming,
    rollout,
    instances,
  };
}

export function shareOf(revision: RevisionRow, percent: number, tag?: string): ServiceState['routed'][number] {
  return {
    revisionId: revision.id,
    revisionName: revision.name,
    percent,
    ...(tag === undefined ? {} : { tag }),
    latestRevision: false,
    revision,
  };
}

export function instanceIn(revision: RevisionRow, number: number, change: Partial<Instance> = {}): Instance {
  return {
    id: `ins_0190a000-0000-7000-8000-00000000000${number}`,
    project: 'demo',
    service: 'hello',
    serviceId: revision.service_id,
    revisionId: revision.id,
    revisionName: revision.name,
    state: 'ready',
    node: 'local',
    address: '127.0.0.1',
    port: 30_000 + number,
    createdAt: at(number).toISOString(),
    ...change,
  };
}
