import type { EventDraft } from '@skyrun/contracts';
import type { InstanceRecord } from './records.ts';

function reference({ project, service, serviceId, revisionId, revisionName }: InstanceRecord) {
  return { project, service, serviceId, revisionId, revisionName };
}

export function revisionEvent(type: 'skyrun.revision.ready.v1', record: InstanceRecord): EventDraft;
export function revisionEvent(
  type: 'skyrun.revision.failed.v1',
  record: InstanceRecord,
  why: { readonly reason: string; readonly message: string },
): EventDraft;
export function revisionEvent(
  type: 'skyrun.revision.ready.v1' | 'skyrun.revision.failed.v1',
  record: InstanceRecord,
  why?: { readonly reason: string; readonly message: string },
): EventDraft {
  const { revisionId, project } = record;
  return { type, subject: `revisions/${revisionId}`, project, data: { ...reference(record), ...why } };
}
