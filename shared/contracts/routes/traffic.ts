import { z } from 'zod';
import { timestamp, traceparent } from '../names.ts';
import { LATENCY_BOUNDS_MS, statusClasses } from '../resources/metrics.ts';

/**
 * What a gateway process saw in one window, sent each second to the orchestrator, and at once when a request
 * waits for a revision that has no ready instance (the activation). A revision that is idle is left out.
 */
export const trafficReport = z.object({
  gateway: z.string().describe('stable id of the gateway process'),
  /** Grows with each report of a gateway process; a repeated or late one is ignored. */
  sequence: z.int(),
  at: timestamp,
  windowMs: z.int().describe('0 for an activation sent between two windows'),
  revisions: z.array(
    z.object({
      revisionId: z.string(),
      /** Time-weighted mean of requests in flight plus waiting. */
      concurrency: z.number(),
      /** In flight plus waiting at this moment. */
      current: z.int(),
      queued: z.int(),
      requests: z.int().describe('requests that ended in the window'),
      statusClasses,
      latencyBuckets: z.array(z.int()).length(LATENCY_BOUNDS_MS.length + 1),
      /** In flight per instance at this moment, draining ones included: one that is idle can be stopped at once. */
      instances: z.array(z.object({ id: z.string(), current: z.int() })).optional(),
      /** Of an activation: for how long the first request has been waiting, in milliseconds. */
      waitingMs: z.number().optional(),
      /** Of that request: what is done for it becomes part of its trace. */
      traceparent: traceparent.optional(),
      /** Requests that waited for an instance to start: milliseconds from their arrival to their first byte. */
      coldStarts: z
        .array(z.object({ instanceId: z.string(), totalMs: z.number() }))
        .max(100)
        .optional(),
    }),
  ),
});
export type TrafficReport = z.infer<typeof trafficReport>;
