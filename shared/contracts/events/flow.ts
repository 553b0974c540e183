import { z } from 'zod';
import { dnsLabel } from '../names.ts';

/** Events of one source, type and project that one consumer of a group handled. */
const flow = z.object({
  source: z.string(),
  type: z.string(),
  project: z.string().optional(),
  handled: z.int().min(0),
  failed: z.int().min(0).describe('tries that ended in an error'),
  totalMs: z.number().min(0).describe('time in the handler, summed up, in milliseconds'),
});
export type Flow = z.infer<typeof flow>;

export const flowObserved = z.object({
  group: z.string(),
  project: dnsLabel.optional().describe('of the team whose group it is'),
  types: z.array(z.string()).describe('what the group asked for'),
  windowMs: z.int().min(0),
  flows: z.array(flow).max(500),
});
export type FlowObserved = z.infer<typeof flowObserved>;
