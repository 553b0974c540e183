import { z } from 'zod';
import { eventEnvelope } from '../events/envelope.ts';
import { dnsLabel, timestamp } from '../names.ts';
import { defineOperation } from './define.ts';
import { page, pageQuery } from './paging.ts';

const filter = pageQuery.extend({
  type: z.string().max(200).optional().describe('a type or a pattern such as skyrun.instance.*'),
  subject: z.string().max(300).optional().describe('a subject or its beginning'),
  since: timestamp.optional(),
  until: timestamp.optional(),
  text: z.string().max(200).optional().describe('found anywhere in the event'),
});

export const eventOperations = {
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

/** The socket.io live feed: path, and the names of its messages. */
export const LIVE_FEED = {
  path: '/socket.io',
  /** client → server, `{ project }` or `{ all: true }`, acknowledged with `{ ok: true }` or `{ ok: false, problem }`. */
  subscribe: 'subscribe',
  unsubscribe: 'unsubscribe',
  /** server → client: one CloudEvent. The access token goes into the handshake's `auth.token`. */
  event: 'event',
} as const;
