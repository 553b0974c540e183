import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { dnsLabel, timestamp } from '../names.ts';

export const healthState = z.enum(['healthy', 'degraded', 'unhealthy']);

/** One running copy of a team's service, as it tells of itself. */
export const registration = z.object({
  id: idSchema('registration'),
  project: dnsLabel,
  name: dnsLabel,
  address: z.string(),
  metadata: z.record(z.string(), z.string()),
  healthUrl: z.string().nullable().describe('asked regularly; null: it tells itself'),
  ttlSeconds: z.int(),
  health: z.enum([...healthState.options, 'expired']).describe('expired: no heartbeat within its time to live'),
  message: z.string().describe('what it says of its health'),
  registeredAt: timestamp,
  seenAt: timestamp,
  expiresAt: timestamp,
});
export type Registration = z.infer<typeof registration>;
