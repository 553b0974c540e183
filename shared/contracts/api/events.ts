import { z } from 'zod';
import { eventEnvelope } from '../events/envelope.ts';
import { dnsLabel, timestamp } from '../names.ts';
import { problemDetails } from '../problem.ts';
import { defineOperation } from './define.ts';
import { page, pageQuery } from './paging.ts';

const filter = pageQuery.extend({
  type: z.string().max(200).optional().describe('a type or a pattern such as skyrun.instance.*'),
  subject: z.string().max(300).optional().describe('a subject or its beginning'),
  since: timestamp.optional(),
  until: timestamp.optional(),
  text: z.string().max(200).optional().describe('found anywhere in the event'),
});

const live = z.object({
  type: filter.shape.type,
  subject: filter.shape.subject,
  after: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('an id of this stream or of an event; a Last-Event-ID header comes before it'),
});

/**
 * Server-sent events. Each event is the CloudEvent as `data`; its `id` is the place to go on from, which a browser's
 * EventSource sends back as `Last-Event-ID` by itself. Besides them:
 * - `gap` (ProblemDetails): what lay after the given place is no longer known; read the history. The stream goes on from now;
 * - `too-slow` (ProblemDetails), then the end: connect again with the last id, and nothing is lost;
 * - `closing` (ProblemDetails), then the end: the token has expired or the service stops;
 * - comments, every 15 s of silence.
 */
const eventStream = { produces: 'text/event-stream', status: 200 } as const;

export const eventOperations = {
  streamProjectEvents: defineOperation('streamProjectEvents', {
    service: 'events',
    method: 'get',
    path: '/api/v1/projects/{project}/events/stream',
    summary: 'History events of a project as they come, as server-sent events',
    permission: 'services.read',
    params: z.object({ project: dnsLabel }),
    query: live,
    ...eventStream,
  }),
  streamEvents: defineOperation('streamEvents', {
    service: 'events',
    method: 'get',
    path: '/api/v1/events/stream',
    summary: 'History events of the whole installation as they come, as server-sent events',
    permission: 'admin',
    query: live,
    ...eventStream,
  }),
  listProjectEvents: defineOperation('listProjectEvents', {
    service: 'events',
    method: 'get',
    path: '/api/v1/projects/{project}/events',
    summary: 'Events of a project, newest first',
    permission: 'services.read',
    params: z.object({ project: dnsLabel }),
    query: filter,
    response: page(eventEnvelope),
  }),
  listEvents: defineOperation('listEvents', {
    service: 'events',
    method: 'get',
    path: '/api/v1/events',
    summary: 'Events of the whole installation, newest first',
    permission: 'admin',
    query: filter,
    response: page(eventEnvelope),
  }),
};

const after = z.string().min(1).max(200).optional().describe('a cursor of the feed, or the id of the last event seen');

/** One project, or the whole installation for administrators. */
export const feedSubscription = z.union([
  z.strictObject({ project: dnsLabel, after }),
  z.strictObject({ all: z.literal(true), after }),
]);
export type FeedSubscription = z.infer<typeof feedSubscription>;

export const feedAnswer = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    /** Where the feed stands now. */
    cursor: z.string(),
    /** False when events after `after` are no longer kept or too many: read the history instead. */
    complete: z.boolean(),
  }),
  z.object({ ok: z.literal(false), problem: problemDetails }),
]);
export type FeedAnswer = z.infer<typeof feedAnswer>;
