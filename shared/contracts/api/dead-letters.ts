import { z } from 'zod';
import { eventEnvelope } from '../events/envelope.ts';
import { timestamp } from '../names.ts';
import { defineOperation } from './define.ts';
import { page } from './paging.ts';

const group = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{0,99}$/, 'expected a group: a-z, 0-9, "." and "-"')
  .describe('a consumer group, of the platform or of a team service');
const params = z.object({ group });
const letterId = z.string().regex(/^[0-9a-f-]{3,60}$/, 'expected the id of a dead letter');

const deadLetter = z.object({
  id: letterId,
  event: eventEnvelope.nullable().describe('null when it is the event itself that is malformed'),
  body: z.string().describe('what lay on the broker'),
  error: z.string().describe('why it failed the last time'),
  stack: z.array(z.string()).describe('where in the consumer, innermost first'),
  attempts: z.int(),
  deadAt: z.string(),
});

/** Dead letters: events that a consumer group failed to handle as often as it may. */
export const deadLetterOperations = {
  listDeadLetterGroups: defineOperation('listDeadLetterGroups', {
    service: 'events',
    method: 'get',
    path: '/api/v1/dead-letters',
    summary: 'Consumer groups, the platform’s and the teams’, and how many dead letters each has',
    permission: 'admin',
    response: z.object({
      items: z.array(
        z.object({
          group,
          types: z.array(z.string()),
          project: z.string().nullable().describe('of the team whose group it is; null: the platform, or not said'),
          seenAt: timestamp.nullable().describe('when a consumer of it was heard of last; null: never'),
          letters: z.int(),
          more: z.boolean().describe('there are more than `letters`'),
        }),
      ),
    }),
  }),
  listDeadLetters: defineOperation('listDeadLetters', {
    service: 'events',
    method: 'get',
    path: '/api/v1/dead-letters/{group}',
    summary: 'Dead letters of a group, oldest first',
    permission: 'admin',
    params,
    query: z.object({
      limit: z.coerce.number().int().min(1).max(500).default(50),
      cursor: z
        .string()
        .regex(/^\d{1,20}(-\d{1,20})?$/, 'expected a nextCursor of the page before')
        .optional(),
    }),
    response: page(deadLetter),
  }),
  replayDeadLetters: defineOperation('replayDeadLetters', {
    service: 'events',
    method: 'post',
    path: '/api/v1/dead-letters/{group}/replay',
    summary: 'Hand dead letters to their group again, unchanged, and to it alone',
    permission: 'admin',
    params,
    body: z.strictObject({ ids: z.union([z.literal('all'), z.array(letterId).min(1).max(500)]) }),
    response: z.object({ replayed: z.int() }),
  }),
  discardDeadLetters: defineOperation('discardDeadLetters', {
    service: 'events',
    method: 'post',
    path: '/api/v1/dead-letters/{group}/discard',
    summary: 'Drop dead letters for good; the reason goes to the log',
    permission: 'admin',
    params,
    body: z.strictObject({ ids: z.array(letterId).min(1).max(500), reason: z.string().trim().min(1).max(500) }),
    response: z.object({ discarded: z.int() }),
  }),
};
