import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { timestamp } from '../names.ts';
import { decision, statusClasses } from '../resources/metrics.ts';
import { instance } from '../resources/service.ts';
import { define } from './define.ts';
import { revisionRef, serviceRef } from './references.ts';

const spread = z.object({ p50: z.number(), p95: z.number(), max: z.number() });

/** Samples are taken every few seconds while the instance runs; none while it is paused. */
export const instanceSample = revisionRef.extend({
  instanceId: idSchema('instance'),
  windowStart: timestamp,
  windowEnd: timestamp,
  samples: z.int().min(1),
  cpuMilli: spread.describe('thousandths of a CPU'),
  memoryMib: spread,
  cpuLimitMilli: z.int(),
  memoryLimitMib: z.int(),
});
export type InstanceSample = z.infer<typeof instanceSample>;

const instanceBreaker = revisionRef.extend({
  gateway: z.string(),
  instanceId: z.string(),
  reason: z
    .enum(['refused', 'failing'])
    .describe('`refused`: nobody listens; `failing`: it breaks off, or too many 5xx'),
});

/** Instances, scaling and what services see of load. */
export const ORCHESTRATOR_EVENTS = {
  'skyrun.instance.started.v1': define(
    'skyrun.instance.started.v1',
    'A container was started',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.ready.v1': define(
    'skyrun.instance.ready.v1',
    'An instance takes requests',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.answered.v1': define(
    'skyrun.instance.answered.v1',
    'The first request that waited for an instance’s start got its first byte: all phases of the start are known',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.draining.v1': define(
    'skyrun.instance.draining.v1',
    'An instance takes no new requests',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.stopped.v1': define(
    'skyrun.instance.stopped.v1',
    'An instance ended as intended',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.failed.v1': define(
    'skyrun.instance.failed.v1',
    'An instance ended or never started, not as intended',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.ejected.v1': define(
    'skyrun.instance.ejected.v1',
    'A gateway sends an instance no more requests for a while, because it failed too often',
    'gateways/{gateway}/instances/{instanceId}',
    instanceBreaker,
  ),
  'skyrun.instance.admitted.v1': define(
    'skyrun.instance.admitted.v1',
    'A gateway sends an instance requests again',
    'gateways/{gateway}/instances/{instanceId}',
    instanceBreaker,
  ),
  'skyrun.instance.unready.v1': define(
    'skyrun.instance.unready.v1',
    'An instance’s readiness probe fails; it gets no requests until it is ready again',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.paused.v1': define(
    'skyrun.instance.paused.v1',
    'An instance that is not needed is frozen, or about to be; it keeps its memory and uses no CPU',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.resumed.v1': define(
    'skyrun.instance.resumed.v1',
    'A paused instance takes requests again',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.parked.v1': define(
    'skyrun.instance.parked.v1',
    'An idle instance’s container is stopped and kept; it uses neither CPU nor memory',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.sampled.v1': define(
    'skyrun.instance.sampled.v1',
    'What an instance really used over a window of about a minute, beside what it may use',
    'instances/{instanceId}',
    instanceSample,
    'ephemeral',
  ),
  'skyrun.scaling.decided.v1': define(
    'skyrun.scaling.decided.v1',
    'The autoscaler changed a revision’s wanted instances',
    'revisions/{revisionId}',
    revisionRef.extend({ decision }),
  ),
  'skyrun.traffic.observed.v1': define(
    'skyrun.traffic.observed.v1',
    'Traffic of one service over the last second',
    'services/{project}/{service}',
    serviceRef.extend({
      windowMs: z.int(),
      requestsPerSecond: z.number(),
      concurrency: z.number(),
      queued: z.number(),
      statusClasses,
      p50Ms: z.number().nullable(),
      p95Ms: z.number().nullable(),
      p99Ms: z.number().nullable(),
      instances: z.object({ ready: z.int(), starting: z.int() }),
    }),
    'ephemeral',
  ),
} as const;
