import type { EventDraft } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { InstanceRecord } from '../reconcile/records.ts';
import { cutAt, type Span, usageWindows } from './windows.ts';

/** What the instance used between its cursor and `until`; the caller moves the cursor in the same transaction. */
export function lifetimeUsage(
  record: InstanceRecord,
  until: number,
  minInstance: boolean,
  stoppingSince: number | null = null,
): EventDraft<'skyrun.usage.recorded.v1'>[] {
  if (record.usageUntil === null) return [];
  const changes = [record.readyAt, stoppingSince].filter((at) => at !== null);
  return usageWindows(record.usageUntil, until)
    .flatMap((span) => cutAt(span, changes))
    .map((span) => draftOf(record, span, minInstance, stateOf(record, span, stoppingSince)));
}

type State = 'starting' | 'running' | 'paused' | 'stopping';

/** What the instance did in a span in which that does not change. */
function stateOf(
  { readyAt, startedAt, frozenAt }: InstanceRecord,
  { start, end }: Span,
  stoppingSince: number | null,
): State {
  if (stoppingSince !== null && start >= stoppingSince) return 'stopping';
  if (frozenAt !== null && start >= frozenAt) return 'paused';
  const starts = readyAt === null ? startedAt !== null : end <= readyAt;
  return starts ? 'starting' : 'running';
}

function draftOf(
  record: InstanceRecord,
  { start, end }: Span,
  minInstance: boolean,
  state: State,
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
      state,
    },
  };
}
