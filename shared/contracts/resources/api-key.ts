import { z } from 'zod';
import { role } from '../access.ts';
import { idSchema } from '../ids.ts';
import { dnsLabel, timestamp } from '../names.ts';

/** `sk_` and 32 random bytes in base64url; a token of identity has dots and never this form. */
export const API_KEY = /^sk_[A-Za-z0-9_-]{43}$/;

/** What is kept of a key in its place. */
export const apiKeyDigest = z.string().regex(/^[0-9a-f]{64}$/, 'expected the SHA-256 of a key in hexadecimal');

/** What a key may be: managing keys and members takes a person. */
export const apiKeyRole = role.exclude(['owner']);
export type ApiKeyRole = z.infer<typeof apiKeyRole>;

/** What is known of a key; the key itself is told once, when it is made or exchanged. */
export const apiKey = z.object({
  id: idSchema('apiKey'),
  project: dnsLabel,
  name: dnsLabel,
  role: apiKeyRole,
  hint: z.string().describe('the first characters of the key'),
  createdBy: z.string().describe('id of who made it'),
  createdAt: timestamp,
  expiresAt: timestamp.nullable(),
  rotatedAt: timestamp.nullable(),
  previousUntil: timestamp.nullable().describe('until when the key before the last exchange still holds'),
  lastUsedAt: timestamp.nullable().describe('to the minute'),
});
export type ApiKey = z.infer<typeof apiKey>;

export const newApiKey = apiKey.extend({ key: z.string().regex(API_KEY).describe('shown this once') });
export type NewApiKey = z.infer<typeof newApiKey>;
