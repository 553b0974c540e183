import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { dnsLabel, timestamp } from '../names.ts';

/** A host label holds 63 characters: a tag, `---` and the name of the service. */
export const MAX_TAG_HOST = 63;

/** Knative's `TrafficTarget`: which revision gets which share, and by which tag it is reached directly. */
export const trafficTarget = z.strictObject({
  /** Absent: the latest ready revision. */
  revisionName: z.string().min(1).max(100).optional(),
  latestRevision: z.boolean().optional(),
  percent: z.int().min(0).max(100).default(0),
  tag: dnsLabel.optional().describe('reached at <tag>---<service>.<project>.<base domain>, whatever the percent'),
});
export type TrafficTarget = z.infer<typeof trafficTarget>;

/** Who gets the traffic; each rule names the field that breaks it. */
export const trafficTargets = z
  .array(trafficTarget)
  .min(1)
  .max(50)
  .superRefine((targets, context) => {
    const issue = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
    const tags = new Set<string>();
    targets.forEach(({ revisionName, latestRevision, percent, tag }, index) => {
      if (revisionName !== undefined && latestRevision === true) {
        issue([index, 'latestRevision'], 'must be false or left out where revisionName is given');
      }
      if (revisionName === undefined && latestRevision === false) {
        issue([index, 'revisionName'], 'must be given where latestRevision is false');
      }
      if (tag === undefined && percent === 0) {
        issue([index, 'percent'], 'must be at least 1 where no tag is given; leave the target out instead');
      }
      if (tag !== undefined && tags.has(tag)) issue([index, 'tag'], `${tag} is given twice`);
      if (tag !== undefined) tags.add(tag);
    });
    const sum = targets.reduce((total, { percent }) => total + percent, 0);
    if (sum !== 100) issue([], `percentages must add up to 100; these add up to ${sum}`);
  });

const rolloutStep = z.strictObject({
  percent: z.int().min(1).max(99).describe('share of the new revision'),
  seconds: z.int().min(1).max(86_400).describe('how long at least, before the next step'),
});

/** When a new revision is worse than the one before, so that it is taken back. */
export const canaryPolicy = z.strictObject({
  maxErrorIncrease: z
    .number()
    .min(0)
    .max(100)
    .default(2)
    .describe('points of percent by which its rate of 5xx answers may exceed the old revision’s'),
  maxLatencyRatio: z
    .number()
    .min(1)
    .max(100)
    .default(1.5)
    .describe('how many times the old revision’s p95 latency its own may be'),
  minLatencyIncreaseMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(50)
    .describe('a p95 that is higher by no more than this is not worse, whatever the ratio'),
  minRequests: z.int().min(1).max(1_000_000).default(50).describe('requests it must have answered before it is judged'),
  tooFewRequests: z
    .enum(['wait', 'advance'])
    .default('wait')
    .describe('what happens at the end of a step with fewer requests than minRequests'),
});
export type CanaryPolicy = z.infer<typeof canaryPolicy>;

/** How traffic moves to a new latest revision; absent, all of it moves at once when the revision is ready. */
export const rolloutPolicy = z.strictObject({
  steps: z
    .array(rolloutStep)
    .min(1)
    .max(20)
    .superRefine((steps, context) => {
      steps.forEach(({ percent }, index) => {
        const before = steps[index - 1]?.percent ?? 0;
        if (percent > before) return;
        context.addIssue({
          code: 'custom',
          path: [index, 'percent'],
          message: `must be more than the ${before} of the step before`,
        });
      });
    }),
  canary: canaryPolicy.optional().describe('absent: nothing is judged, time alone moves it on'),
});
export type RolloutPolicy = z.infer<typeof rolloutPolicy>;

export const trafficStatus = z.object({
  revisionName: z.string(),
  percent: z.int(),
  tag: z.string().optional(),
  url: z.string().optional().describe('of the tag, or of the service'),
  latestRevision: z.boolean().optional().describe('whether it follows the latest ready revision'),
});
export type TrafficStatus = z.infer<typeof trafficStatus>;

/** What gateways counted of one revision since a moment. */
export const revisionObservation = z.object({
  requests: z.int(),
  errors: z.int().describe('answers 5xx, those of the gateway included'),
  p95Ms: z.number().nullable(),
});
export type RevisionObservation = z.infer<typeof revisionObservation>;

export const rolloutState = z.enum(['running', 'completed', 'rolled-back', 'superseded']);

/** One step or verdict of a rollout, in words. */
export const rolloutDecision = z.object({
  at: timestamp,
  verdict: z.enum(['started', 'advanced', 'completed', 'rolled-back', 'superseded']),
  percent: z.int().describe('share of the new revision from now on'),
  sentence: z.string(),
  before: revisionObservation.optional().describe('the old revision, since the rollout began'),
  candidate: revisionObservation.optional().describe('the new revision, since the rollout began'),
});
export type RolloutDecision = z.infer<typeof rolloutDecision>;

/** The way of traffic from one latest revision to the next. */
export const rollout = z.object({
  id: idSchema('rollout'),
  state: rolloutState,
  fromRevision: z.string(),
  toRevision: z.string(),
  percent: z.int().describe('share of the new revision now'),
  policy: rolloutPolicy,
  /** Why it stands where it stands. */
  sentence: z.string(),
  startedAt: timestamp,
  stepSince: timestamp,
  endedAt: timestamp.optional(),
  decisions: z.array(rolloutDecision).describe('oldest first'),
});
export type Rollout = z.infer<typeof rollout>;
