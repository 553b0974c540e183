import type { Span } from '../aggregate/spans.ts';
import type { UsageEvent } from '../ingest/check-usage.ts';

/** 2026-01-15T12:00:00Z. */
export const NOON = Date.UTC(2026, 0, 15, 12);

export interface UsageFields {
  readonly key: string;
  readonly id?: string;
  readonly project?: string;
  readonly kind?: 'requests' | 'lifetime';
  readonly service?: string;
  readonly instance?: number;
  /** Unix ms; NOON if absent. */
  readonly from?: number;
  readonly until?: number;
  readonly busy?: readonly Span[];
  readonly requests?: number;
  readonly bytesOut?: number;
  readonly billingMode?: 'request' | 'instance';
  readonly cpuMilli?: number;
  readonly memoryMib?: number;
  readonly minInstance?: boolean;
  readonly state?: UsageEvent['data']['state'];
}

const SERVICE_ID = 'svc_01890000-0000-7000-8000-000000000001';
const REVISION_ID = 'rev_01890000-0000-7000-8000-000000000002';

export function instanceId(number: number): string {
  return `ins_01890000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

/** A usage event as the bus delivers it: one second of one instance, busy all along, unless said otherwise. */
export function usageEvent(fields: UsageFields): UsageEvent {
  const { key, project = 'demo', service = 'api', from = NOON, until = from + 1000 } = fields;
  const busy = fields.busy ?? [[from, until] as const];
  return {
    specversion: '1.0',
    id: fields.id ?? `evt-${key}`,
    source: '/skyrun/gateway',
    type: 'skyrun.usage.recorded.v1',
    subject: `services/${project}/${service}`,
    time: new Date(until).toISOString(),
    datacontenttype: 'application/json',
    project,
    sequence: 1,
    data: {
      project,
      service,
      serviceId: SERVICE_ID,
      revisionId: REVISION_ID,
      revisionName: `${service}-00001`,
      key,
      kind: fields.kind ?? 'requests',
      instanceId: fields.instance === 0 ? '' : instanceId(fields.instance ?? 1),
      windowStart: new Date(from).toISOString(),
      windowEnd: new Date(until).toISOString(),
      billingMode: fields.billingMode ?? 'request',
      cpuMilli: fields.cpuMilli ?? 1000,
      memoryMib: fields.memoryMib ?? 512,
      requests: fields.requests ?? (fields.kind === 'lifetime' ? 0 : 1),
      bytesIn: 0,
      bytesOut: fields.bytesOut ?? 0,
      busy: busy.map(([start, end]): [number, number] => [start, end]),
      busyMs: busy.reduce((sum, [start, end]) => sum + end - start, 0),
      statusClasses: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
      minInstance: fields.minInstance ?? false,
      state: fields.state ?? 'running',
    },
  };
}
