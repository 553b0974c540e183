import { z } from 'zod';
import { role } from '../access.ts';
import { idSchema } from '../ids.ts';
import { dnsLabel, timestamp } from '../names.ts';

/** The tenant. Its name is unique, immutable and never used again: usage and invoices are keyed by it. */
export const project = z.object({
  id: idSchema('project'),
  name: dnsLabel,
  displayName: z.string(),
  role: role.optional().describe('your role in it'),
  createdAt: timestamp,
});
export type Project = z.infer<typeof project>;

export const member = z.object({
  userId: idSchema('user'),
  email: z.string(),
  role,
  addedAt: timestamp,
});
export type Member = z.infer<typeof member>;

export const user = z.object({
  id: idSchema('user'),
  email: z.string(),
  name: z.string(),
  admin: z.boolean(),
  createdAt: timestamp,
});
export type User = z.infer<typeof user>;
