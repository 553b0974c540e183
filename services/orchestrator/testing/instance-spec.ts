import { newId, systemClock } from '@skyrun/kit';
import type { InstanceSpec } from '../runtime/runtime.ts';

/** A plain instance that answers requests, of a service and a revision of its own; each field may be given. */
export function instanceSpec(more: Partial<InstanceSpec> = {}): InstanceSpec {
  return {
    instanceId: newId('instance', systemClock),
    project: 'demo',
    service: 'web',
    serviceId: newId('service', systemClock),
    revisionId: newId('revision', systemClock),
    revisionName: 'web-00001',
    port: 8080,
    cpuMilli: 1000,
    memoryMib: 128,
    billingMode: 'request',
    terminationGraceSeconds: 10,
    createdAt: systemClock.now(),
    image: 'app',
    env: [{ name: 'PORT', value: '8080' }],
    ...more,
  };
}
