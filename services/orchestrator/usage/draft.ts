import type { EventDraft } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { InstanceRecord } from '../reconcile/records.ts';
import { type Span, usageWindows } from './windows.ts';

/** What the instance used between its cursor and `until`; the caller moves the cursor in the same transaction. */
export function lifetimeUsage(
  record: InstanceRecord,
  until: number,
  minInstance: boolean,
): EventDraft<'skyrun.usage.recorded.v1'>[] {
  if (record.usageUntil === null) return [];
  return usageWindows(record.usageUntil, until).map((span) => draftOf(record, span, minInstance));
}

function draftOf(
  record: InstanceRecord,
  { start, end }: Span,
  minInstance: boolean,
): EventDraft<'skyrun.usage.recorded.v1'> {
  const { project, service, serviceId, revisionId, revisionName, instanceId } = record;
  return {
    type: 'skyrun.usage.recorded.v1',
    subject: `services/${project}/${service}`,
    project,
    data: {
      project,
      service,
      serviceId,
      revisionId,
      revisionName,
      instanceId,
      // The start is enough: the cursor passes each moment once.
      key: `lifetime/${instanceId}/${start}`,
      kind: 'lifetime',
      windowStart: isoTime(start),
      windowEnd: isoTime(end),
      billingMode: record.billingMode,
      cpuMilli: record.cpuMilli,
      memoryMib: record.memoryMib,
      requests: 0,
      bytesIn: 0,
      bytesOut: 0,
      busy: [[start, end]],
      busyMs: end - start,
      statusClasses: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
      minInstance,
      state: record.frozenAt === null ? 'running' : 'paused',
    },
  };
}
