import type { Revision, Rollout, Service, TrafficStatus } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { RevisionRow, RolloutRow, RoutedTarget, ServiceRow } from '../store/tables.ts';
import { revisionConditions, serviceConditions } from './conditions.ts';
import { type PublicAddress, type ServiceState, tagUrlOf, urlOf } from './service-state.ts';

export function toRevision(row: RevisionRow): Revision {
  return {
    id: row.id,
    name: row.name,
    project: row.project,
    serviceId: row.service_id,
    service: row.service,
    number: row.number,
    imageDigest: row.image_digest,
    imageReference: row.image_reference,
    template: row.template,
    conditions: revisionConditions(row),
    createdAt: isoTime(row.created_at.getTime()),
  };
}

export function toService(state: ServiceState, address: PublicAddress): Service {
  const { service, newest, ready, instances, rollout } = state;
  const count = (wanted: string) => instances.filter((instance) => instance.state === wanted).length;
  const url = urlOf(service, address);
  return {
    id: service.id,
    project: service.project,
    name: service.name,
    generation: service.generation,
    spec: service.spec,
    status: {
      url,
      // Status is derived from the spec's own revision in the same read, so it never lags behind.
      observedGeneration: service.generation,
      conditions: serviceConditions(state),
      latestCreatedRevision: newest.name,
      ...(ready === null ? {} : { latestReadyRevision: ready.name }),
      traffic: trafficStatus(service, service.routed, address),
      ...(rollout === null ? {} : { rollout: toRollout(rollout) }),
      instances: { ready: count('ready'), starting: count('starting'), draining: count('draining') },
    },
    createdAt: isoTime(service.created_at.getTime()),
    updatedAt: isoTime(service.updated_at.getTime()),
  };
}

/** Who has the traffic, as the API and the events show it. */
export function trafficStatus(
  service: Pick<ServiceRow, 'project' | 'name'>,
  routed: readonly RoutedTarget[],
  address: PublicAddress,
): TrafficStatus[] {
  return routed.map(({ revisionName, percent, tag, latestRevision }) => ({
    revisionName,
    percent,
    ...(tag === undefined ? {} : { tag }),
    url: tag === undefined ? urlOf(service, address) : tagUrlOf(service, tag, address),
    latestRevision,
  }));
}

export function toRollout(row: RolloutRow): Rollout {
  return {
    id: row.id,
    state: row.state,
    fromRevision: row.from_revision,
    toRevision: row.to_revision,
    percent: row.percent,
    policy: row.policy,
    sentence: row.sentence,
    startedAt: isoTime(row.started_at.getTime()),
    stepSince: isoTime(row.step_since.getTime()),
    ...(row.ended_at === null ? {} : { endedAt: isoTime(row.ended_at.getTime()) }),
    decisions: [...row.decisions],
  };
}

/** The ETag of a service. */
export function etagOf(service: { generation: number }): string {
  return `"${service.generation}"`;
}
