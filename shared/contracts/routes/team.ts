import { z } from 'zod';
import { dnsLabel } from '../names.ts';

/** A team's own service as gateways reach it: `<name>.<project>.<base domain>`, for members of the project. */
export const teamRoute = z.object({
  project: dnsLabel,
  name: dnsLabel,
  copies: z.array(
    z.object({
      id: z.string(),
      address: z.string().describe('an IP address that was found to be permitted; never a name'),
      port: z.int(),
    }),
  ),
});
export type TeamRoute = z.infer<typeof teamRoute>;
