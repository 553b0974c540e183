import type { EventDraft } from '@skyrun/contracts';
import type { RevisionRow, ServiceRow } from '../store/tables.ts';

type ServiceEvent = 'skyrun.service.created.v1' | 'skyrun.service.updated.v1';
type Trace = string | undefined;

export function serviceChanged<Type extends ServiceEvent>(
  type: Type,
  service: ServiceRow,
  url: string,
  traceparent: Trace,
): EventDraft<ServiceEvent> {
  return { type, ...about(service, traceparent), data: { ...reference(service), generation: service.generation, url } };
}

export function serviceDeleted(service: ServiceRow, traceparent: Trace): EventDraft<'skyrun.service.deleted.v1'> {
  return { type: 'skyrun.service.deleted.v1', ...about(service, traceparent), data: reference(service) };
}

export function revisionCreated(
  service: ServiceRow,
  revision: RevisionRow,
  traceparent: Trace,
): EventDraft<'skyrun.revision.created.v1'> {
  return {
    type: 'skyrun.revision.created.v1',
    ...about(service, traceparent),
    data: {
      ...reference(service),
      revisionId: revision.id,
      revisionName: revision.name,
      number: revision.number,
      imageDigest: revision.image_digest,
    },
  };
}

function reference({ project, name, id }: ServiceRow) {
  return { project, service: name, serviceId: id };
}

function about({ project, name }: ServiceRow, traceparent: Trace) {
  return {
    subject: `services/${project}/${name}`,
    project,
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}
