import { z } from 'zod';
import { dnsLabel } from '../names.ts';

/** What one team service, known by its API key, asked of one service of its project through a gateway. */
const observedCalls = z.object({
  project: dnsLabel,
  from: dnsLabel.describe('name of the API key'),
  kind: z.enum(['service', 'team']).describe('service: Skyrun runs it; team: its team does'),
  to: dnsLabel,
  requests: z.int().min(0),
  errors: z.int().min(0).describe('answered with 5xx'),
  latencyBuckets: z.array(z.int().min(0)).describe('as those of a traffic report'),
});
export type ObservedCalls = z.infer<typeof observedCalls>;

export const callsObserved = z.object({
  gateway: z.string(),
  calls: z.array(observedCalls).max(1_000),
});
