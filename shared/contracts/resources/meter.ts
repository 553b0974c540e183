import { z } from 'zod';

/** What is priced. vCPU and memory quantities are exact integers; see `unit`. */
export const meter = z.enum([
  'cpu',
  'memory',
  'cpu_idle',
  'memory_idle',
  'cpu_paused',
  'memory_paused',
  'requests',
  'egress',
]);
export type Meter = z.infer<typeof meter>;

/** Units of the quantities: milli-vCPU × ms, MiB × ms, requests, bytes. */
export const METER_UNITS: Record<Meter, string> = {
  cpu: 'mvcpu_ms',
  memory: 'mib_ms',
  cpu_idle: 'mvcpu_ms',
  memory_idle: 'mib_ms',
  cpu_paused: 'mvcpu_ms',
  memory_paused: 'mib_ms',
  requests: 'requests',
  egress: 'bytes',
};

/**
 * In request-based billing an instance that gets busy costs until the next full tick after it is idle again; in
 * instance-based billing its life is rounded up to a full tick.
 */
export const BILLED_TICK_MS = 100;
