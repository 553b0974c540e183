import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { dnsLabel, timestamp } from '../names.ts';

export const MAX_SECRET_CHARACTERS = 65_536;

/** Knative's and Cloud Run's way to name a secret: `key` is a version, or the latest one when an instance starts. */
export const secretKeyRef = z.strictObject({
  name: dnsLabel,
  key: z
    .string()
    .regex(/^(latest|[1-9]\d{0,8})$/, 'expected latest or the number of a version')
    .default('latest'),
});
export type SecretKeyRef = z.infer<typeof secretKeyRef>;

/** What is known of a secret by those who may use it; its values are told to nobody but the containers that name it. */
export const secret = z.object({
  id: idSchema('secret'),
  project: dnsLabel,
  name: dnsLabel,
  latestVersion: z.int(),
  versions: z.array(z.object({ version: z.int(), createdAt: timestamp })).describe('newest first'),
  usedBy: z.array(z.string()).describe('names of services whose revisions name it'),
  createdAt: timestamp,
});
export type Secret = z.infer<typeof secret>;

export const secretValue = z
  .string()
  .min(1)
  .max(MAX_SECRET_CHARACTERS)
  .refine((value) => !value.includes('\u0000'), 'must not contain a NUL character');
