import { z } from 'zod';
import { eventEnvelope } from '../events/envelope.ts';
import { FilterSyntaxError, MAX_EXPRESSION, parseFilter } from '../filter/parse.ts';
import { idSchema } from '../ids.ts';
import { dnsLabel, timestamp } from '../names.ts';

/** All that is given must hold. */
export const pushFilter = z.strictObject({
  types: z.array(z.string().min(1).max(200)).max(50).default([]).describe('types or patterns; none: every type'),
  subject: z.string().max(300).default('').describe('a subject or its beginning; empty: every subject'),
  attributes: z
    .record(z.string().regex(/^[a-z0-9]{1,20}$/), z.string().max(300))
    .default({})
    .describe('CloudEvents attributes and their exact value, e.g. source'),
  sql: z
    .string()
    .trim()
    .max(MAX_EXPRESSION)
    .default('')
    .superRefine((text, context) => {
      try {
        if (text !== '') parseFilter(text);
      } catch (error) {
        if (!(error instanceof FilterSyntaxError)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
      }
    })
    .describe("an expression in CloudEvents SQL, e.g. type LIKE 'skyrun.instance.%' AND NOT (subject IN ('a', 'b'))"),
});
export type PushFilter = z.infer<typeof pushFilter>;

export const pushSubscription = z.object({
  id: idSchema('subscription'),
  project: dnsLabel,
  name: dnsLabel,
  destination: z.string(),
  filter: pushFilter,
  mode: z.enum(['binary', 'structured']).describe('how the CloudEvent lies in the HTTP request'),
  maxAttempts: z.int(),
  paused: z.boolean().describe('events wait'),
  /** Newest first. Each delivery is signed with all of them. */
  secrets: z.array(z.object({ createdAt: timestamp })),
  circuit: z
    .enum(['closed', 'open', 'half-open'])
    .describe('open: the destination failed often and is left alone for a while; as the answering process sees it'),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type PushSubscription = z.infer<typeof pushSubscription>;

const deliveryAttempt = z.object({
  at: timestamp,
  status: z.int().nullable().describe('null when no answer came'),
  error: z.string().nullable(),
  durationMs: z.int(),
});
export type DeliveryAttempt = z.infer<typeof deliveryAttempt>;

export const delivery = z.object({
  id: idSchema('delivery'),
  kind: z.enum(['event', 'replay', 'test']),
  state: z
    .enum(['waiting', 'delivered', 'refused', 'dead'])
    .describe('refused: the answer says that trying is useless'),
  attempts: z.int(),
  dueAt: timestamp.nullable().describe('the next try'),
  history: z.array(deliveryAttempt).describe('the last tries, oldest first'),
  event: eventEnvelope,
  createdAt: timestamp,
});
export type Delivery = z.infer<typeof delivery>;
