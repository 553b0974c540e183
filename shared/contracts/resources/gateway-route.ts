import { z } from 'zod';

/** What a service's policy asks or does, in one word each, for lists. */
export const policyMark = z.enum([
  'members',
  'addresses',
  'rate-limits',
  'cors',
  'maintenance',
  'body-limit',
  'waiting-page',
  'timeouts',
  'breaker',
  'slow-start',
  'multiplexing',
  'pipelining',
  'cost',
]);
export type PolicyMark = z.infer<typeof policyMark>;

/** Where gateways send what comes for a host and below a path. */
export const gatewayRoute = z.object({
  host: z.string(),
  pathPrefix: z.string().describe('/ where the whole host is one service’s'),
  kind: z.enum(['service', 'tag', 'domain', 'platform']).describe('platform: a part of Skyrun itself'),
  project: z.string().nullable().describe('null for the platform'),
  service: z.string(),
  revisions: z.array(
    z.object({
      name: z.string(),
      percent: z.int(),
      protocol: z.enum(['http1', 'h2c']),
      ready: z.int().describe('instances that get requests'),
    }),
  ),
  sticky: z.boolean().describe('a cookie keeps a client at its side of a split'),
  blocked: z.enum(['spending_cap']).nullable().describe('why the gateway answers in the service’s place'),
  policy: z.array(policyMark),
});
export type GatewayRoute = z.infer<typeof gatewayRoute>;
