import { z } from 'zod';
import { eventEnvelope } from '../events/envelope.ts';
import { TEAM_TYPE } from '../events/team-type.ts';
import { dnsLabel, timestamp } from '../names.ts';
import { COMPATIBILITIES } from '../team-schema/compatible.ts';
import { dataSchema } from '../team-schema/schema.ts';

export const teamType = z
  .string()
  .max(200)
  .regex(TEAM_TYPE, 'expected team.<project>.<noun>.<past-verb>.v<n>, e.g. team.shop.order.placed.v1');

export const compatibility = z
  .enum(COMPATIBILITIES)
  .describe('backward: what the version before wrote fits the new one; forward: the reverse; full: both');

/** One version of the schema of a team's event type. */
export const eventSchema = z.object({
  type: teamType,
  version: z.int().min(1),
  project: dnsLabel,
  summary: z.string(),
  subject: z.string().describe('how the subject is written, e.g. orders/{id}'),
  compatibility,
  schema: dataSchema,
  example: z.unknown().describe('data that fits; null when none was given'),
  registeredBy: z.string(),
  registeredAt: timestamp,
});
export type EventSchema = z.infer<typeof eventSchema>;

export const schemaIssue = z.object({ path: z.string().describe('place in the schema'), message: z.string() });

/** Who gets events of a type. */
export const eventConsumer = z.object({
  kind: z.enum(['group', 'subscription']),
  name: z.string(),
  project: z.string().nullable().describe('null: the platform itself, or a group that named none'),
  seenAt: timestamp.nullable(),
});
export type EventConsumer = z.infer<typeof eventConsumer>;

export const catalogueEntry = z.object({
  type: z.string(),
  summary: z.string(),
  subject: z.string(),
  retention: z.enum(['history', 'ephemeral']),
  version: z.int().nullable().describe('of the schema; null for the platform’s own types'),
  schema: z.record(z.string(), z.unknown()).describe('JSON Schema of the data'),
  example: eventEnvelope.nullable(),
  consumers: z.array(eventConsumer),
});
export type CatalogueEntry = z.infer<typeof catalogueEntry>;
