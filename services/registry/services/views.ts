import type { Revision, Service } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { RevisionRow } from '../store/tables.ts';
import { revisionConditions, serviceConditions } from './conditions.ts';
import { type PublicAddress, type ServiceState, urlOf } from './service-state.ts';

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
  const { service, newest, ready, instances } = state;
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
      traffic: ready === null ? [] : [{ revisionName: ready.name, percent: 100, url }],
      instances: { ready: count('ready'), starting: count('starting'), draining: count('draining') },
    },
    createdAt: isoTime(service.created_at.getTime()),
    updatedAt: isoTime(service.updated_at.getTime()),
  };
}

/** The ETag of a service. */
export function etagOf(service: { generation: number }): string {
  return `"${service.generation}"`;
}
