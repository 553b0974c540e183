import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { timestamp } from '../names.ts';

/** What was done to have an instance take requests: a new container, one that was stopped and kept, or one that was paused. */
export const startKind = z.enum(['created', 'restarted', 'resumed']);
export type StartKind = z.infer<typeof startKind>;

/**
 * Milliseconds spent in each phase of a start, one after the other: from the first waiting request to the start of the work,
 * creating and starting (or resuming) the container, until it answered, and until the waiting request's first byte.
 * Without a waiting request there is neither `queueMs` nor `firstByteMs`.
 */
export const startPhases = z.object({
  kind: startKind.optional().describe('absent of starts before it was told: created'),
  queueMs: z.number().optional(),
  createMs: z.number(),
  startMs: z.number(),
  probeMs: z.number(),
  firstByteMs: z.number().optional(),
});
export type StartPhases = z.infer<typeof startPhases>;

/** The phases in their order. */
export const START_PHASES = ['queue', 'create', 'start', 'probe', 'firstByte'] as const;
export type StartPhase = (typeof START_PHASES)[number];

export function phaseMs(phases: StartPhases, phase: StartPhase): number | undefined {
  return phases[`${phase}Ms`];
}

/** From the first waiting request, or the start of the work, to the last phase that was measured. */
export function startTotalMs(phases: StartPhases): number {
  return START_PHASES.reduce((sum, phase) => sum + (phaseMs(phases, phase) ?? 0), 0);
}

/** One start of an instance that came to take requests. */
export const instanceStart = z.object({
  at: timestamp.describe('when it took requests'),
  instanceId: idSchema('instance'),
  revisionId: idSchema('revision'),
  revisionName: z.string(),
  kind: startKind,
  phases: startPhases,
  traceId: z.string().optional().describe('of the trace that holds this start, where it is traced'),
});
export type InstanceStart = z.infer<typeof instanceStart>;

/** How long each phase of one kind of start took, over the starts that were looked at; in milliseconds. */
export const startPercentiles = z.object({
  kind: startKind,
  starts: z.int(),
  phases: z.array(
    z.object({
      phase: z.enum([...START_PHASES, 'total']),
      /** In how many starts it was measured. */
      count: z.int(),
      p50Ms: z.number(),
      p95Ms: z.number(),
      p99Ms: z.number(),
      maxMs: z.number(),
    }),
  ),
});
export type StartPercentiles = z.infer<typeof startPercentiles>;
