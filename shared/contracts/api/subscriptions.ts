import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { dnsLabel, timestamp } from '../names.ts';
import { delivery, pushFilter, pushSubscription } from '../resources/subscription.ts';
import { defineOperation } from './define.ts';
import { page, pageQuery } from './paging.ts';

const withSecret = pushSubscription.extend({
  secret: z.string().describe('whsec_<base64>; shown this once. Signatures are made as Standard Webhooks says'),
});

const destination = z.url({ protocol: /^https?$/ }).max(2_000);
const maxAttempts = z.int().min(1).max(50);

const inProject = z.object({ project: dnsLabel });
const one = inProject.extend({ subscription: idSchema('subscription') });
const base = '/api/v1/projects/{project}/subscriptions';

/** Push subscriptions: events of a project, sent to an HTTP destination at least once, in no promised order. */
export const subscriptionOperations = {
  createSubscription: defineOperation('createSubscription', {
    service: 'events',
    method: 'post',
    path: base,
    summary: 'Have events sent to an HTTP destination, from now on',
    permission: 'services.write',
    params: inProject,
    body: z.strictObject({
      name: dnsLabel,
      destination,
      filter: pushFilter.default({ types: [], subject: '', attributes: {}, sql: '' }),
      mode: z.enum(['binary', 'structured']).default('binary'),
      maxAttempts: maxAttempts.default(12),
    }),
    response: withSecret,
    status: 201,
    problems: ['resource.already_exists', 'platform.unavailable'],
  }),
  listSubscriptions: defineOperation('listSubscriptions', {
    service: 'events',
    method: 'get',
    path: base,
    summary: 'Push subscriptions of a project',
    permission: 'services.read',
    params: inProject,
    query: pageQuery,
    response: page(pushSubscription),
  }),
  getSubscription: defineOperation('getSubscription', {
    service: 'events',
    method: 'get',
    path: `${base}/{subscription}`,
    summary: 'One push subscription',
    permission: 'services.read',
    params: one,
    response: pushSubscription,
    problems: ['resource.not_found'],
  }),
  updateSubscription: defineOperation('updateSubscription', {
    service: 'events',
    method: 'patch',
    path: `${base}/{subscription}`,
    summary: 'Change what is given; it holds for events that come from now on',
    permission: 'services.write',
    params: one,
    body: z.strictObject({
      destination: destination.optional(),
      filter: pushFilter.optional(),
      mode: z.enum(['binary', 'structured']).optional(),
      maxAttempts: maxAttempts.optional(),
      paused: z.boolean().optional(),
    }),
    response: pushSubscription,
    problems: ['resource.not_found'],
  }),
  deleteSubscription: defineOperation('deleteSubscription', {
    service: 'events',
    method: 'delete',
    path: `${base}/{subscription}`,
    summary: 'Stop sending, and forget what waits',
    permission: 'services.write',
    params: one,
    problems: ['resource.not_found'],
  }),
  rotateSubscriptionSecret: defineOperation('rotateSubscriptionSecret', {
    service: 'events',
    method: 'post',
    path: `${base}/{subscription}/secrets`,
    summary: 'Add a secret; the one before stays valid until the next rotation',
    permission: 'services.write',
    params: one,
    response: withSecret,
    status: 201,
    problems: ['resource.not_found'],
  }),
  testSubscription: defineOperation('testSubscription', {
    service: 'events',
    method: 'post',
    path: `${base}/{subscription}/test`,
    summary: 'Send one test event now and say what came of it',
    permission: 'services.write',
    params: one,
    response: delivery,
    problems: ['resource.not_found', 'platform.unavailable'],
  }),
  replaySubscription: defineOperation('replaySubscription', {
    service: 'events',
    method: 'post',
    path: `${base}/{subscription}/replay`,
    summary: 'Send again what the filter takes, from a time or an event on',
    permission: 'services.write',
    params: one,
    body: z.union([z.strictObject({ since: timestamp }), z.strictObject({ eventId: z.string().min(1).max(200) })]),
    response: z.object({
      queued: z.int(),
      next: z.string().nullable().describe('the event to go on from when it was too much for one call'),
    }),
    problems: ['resource.not_found'],
  }),
  listDeliveries: defineOperation('listDeliveries', {
    service: 'events',
    method: 'get',
    path: `${base}/{subscription}/deliveries`,
    summary: 'The delivery log, newest first; dead ones are kept 30 days, delivered ones 7',
    permission: 'services.read',
    params: one,
    query: pageQuery.extend({ state: z.enum(['waiting', 'delivered', 'refused', 'dead']).optional() }),
    response: page(delivery),
    problems: ['resource.not_found'],
  }),
  retryDelivery: defineOperation('retryDelivery', {
    service: 'events',
    method: 'post',
    path: `${base}/{subscription}/deliveries/{delivery}/retry`,
    summary: 'Try a refused or dead delivery again, with all its tries',
    permission: 'services.write',
    params: one.extend({ delivery: idSchema('delivery') }),
    response: delivery,
    problems: ['resource.not_found', 'resource.conflict'],
  }),
};
