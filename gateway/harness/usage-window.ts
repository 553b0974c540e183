import type { WindowUsage } from '../meter/meter.ts';
import { IDS, instanceId } from './gateway.ts';

/** Unix ms. */
export const FIRST_WINDOW = 1_700_000_000_000;

/** One request of a revision in the `second`th window. */
export function usageWindow({ second = 0, service = 'hello', clockRun = 0 } = {}): WindowUsage {
  return {
    revision: {
      project: 'demo',
      service,
      serviceId: IDS.service,
      revisionId: IDS.revision,
      revisionName: `${service}-00001`,
      billingMode: 'request',
      cpuMilli: 1000,
      memoryMib: 512,
    },
    instanceId: instanceId(1),
    clockRun,
    windowStart: FIRST_WINDOW + second * 1000,
    windowEnd: FIRST_WINDOW + (second + 1) * 1000,
    requests: 1,
    bytesIn: 1,
    bytesOut: 1,
    busy: [],
    busyMs: 0,
    statusClasses: { '1xx': 0, '2xx': 1, '3xx': 0, '4xx': 0, '5xx': 0 },
  };
}
