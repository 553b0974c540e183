import { z } from 'zod';
import { revision } from '../resources/service.ts';

/** What should run: the registry's word to the orchestrator. */
export const desiredState = z.object({
  version: z.string().describe('also the ETag'),
  revisions: z.array(
    z.object({
      revision,
      /**
       * `serving`: traffic may reach it, so it scales with it. `starting`: newest, not yet ready; one instance
       * proves it. `retired`: nothing may run.
       */
      want: z.enum(['serving', 'starting', 'retired']),
      suspended: z.boolean().optional().describe('its project is paused: it is wanted, and nothing of it may run'),
    }),
  ),
});
export type DesiredState = z.infer<typeof desiredState>;
