import { newId, systemClock } from '@skyrun/kit';
import type { ObservedInstance } from '../reconcile/observed.ts';
import { type DesiredRevision, type InstanceRecord, newRecord } from '../reconcile/records.ts';
import type { RuntimeInstance } from '../runtime/runtime.ts';

export const NOW = 1_700_000_000_000;

export interface InstanceFields {
  readonly state?: InstanceRecord['state'];
  readonly container?: 'absent' | 'unseen' | RuntimeInstance['state'];
  readonly busy?: boolean;
  readonly probing?: boolean;
  readonly watched?: boolean;
  readonly rising?: boolean;
  readonly inFlight?: number | null;
  readonly record?: Partial<InstanceRecord>;
}

/** An instance of a revision, ready and running unless told otherwise. */
export function instanceOf(desired: DesiredRevision, fields: InstanceFields = {}): ObservedInstance {
  const {
    state = 'ready',
    container = 'running',
    busy = false,
    probing = false,
    watched = false,
    rising = false,
    inFlight = null,
  } = fields;
  const instanceId = newId('instance', systemClock);
  const startedAt = container === 'absent' || container === 'created' ? null : NOW - 5000;
  const record: InstanceRecord = {
    ...newRecord(desired, { instanceId, node: 'test', now: NOW - 6000 }),
    state,
    startedAt,
    usageUntil: startedAt,
    readyAt: state === 'starting' ? null : NOW - 4000,
    drainingAt: state === 'draining' ? NOW : null,
    ...fields.record,
  };
  const seen: ObservedInstance['container'] =
    container === 'absent' || container === 'unseen'
      ? container
      : { identity: record, state: container, address: '10.210.0.2', startedAt: NOW - 5000 };
  return { record, container: seen, busy, probing, watched, rising, inFlight };
}
