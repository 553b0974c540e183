import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { dnsLabel, timestamp, traceparent } from '../names.ts';
import { apiKeyDigest } from '../resources/api-key.ts';
import { gatewayView } from '../resources/gateway-view.ts';
import { unitPrices } from '../resources/price-list.ts';
import { routeFrame, routeInstance } from '../routes/snapshot.ts';
import { teamRoute } from '../routes/team.ts';
import { trafficReport } from '../routes/traffic.ts';
import { defineOperation } from './define.ts';

/**
 * What gateways ask of the other services. Apart from the operations that they only pass on, so that a gateway, which is
 * one program of what it uses, needs memory for these alone.
 */
export const gatewayCalls = {
  getKeys: defineOperation('getKeys', {
    service: 'identity',
    method: 'get',
    path: '/api/v1/auth/keys',
    summary: 'Public keys that verify access tokens (JWKS)',
    permission: 'public',
    response: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
  }),
  syncApiKeys: defineOperation('syncApiKeys', {
    service: 'identity',
    method: 'post',
    path: '/internal/v1/api-keys/sync',
    summary: 'Say which keys were used; get the digests of all that hold, where they have changed',
    permission: 'internal',
    body: z.strictObject({
      version: z.string().max(100).describe('of the digests that are known; empty at first'),
      used: z.array(idSchema('apiKey')).max(10_000),
    }),
    response: z.object({
      version: z.string(),
      keys: z
        .array(
          z.object({
            digest: apiKeyDigest,
            id: idSchema('apiKey'),
            name: z
              .string()
              .default('')
              .describe('who calls, on the service map; a gateway that kept keys before it knew has none'),
            project: dnsLabel,
            until: timestamp.nullable(),
          }),
        )
        .nullable()
        .describe('null: as known'),
    }),
  }),
  reportTraffic: defineOperation('reportTraffic', {
    service: 'orchestrator',
    method: 'post',
    path: '/internal/v1/traffic',
    summary: 'A gateway reports what it saw, or asks for a first instance',
    permission: 'internal',
    body: trafficReport,
  }),
  showGateway: defineOperation('showGateway', {
    service: 'orchestrator',
    method: 'put',
    path: '/internal/v1/gateways/{gateway}',
    summary: 'A gateway shows what it is doing, in place of what it showed before',
    permission: 'internal',
    params: z.object({ gateway: z.string().min(1).max(100) }),
    body: gatewayView,
  }),
  wakeRevision: defineOperation('wakeRevision', {
    service: 'orchestrator',
    method: 'post',
    path: '/internal/v1/wake',
    summary: 'Resume a paused instance now, for a request that waits; the answer is enough to send it there',
    permission: 'internal',
    body: z.object({
      revisionId: z.string(),
      /** For how long the request has been waiting, in milliseconds. */
      waitingMs: z.number().min(0).optional(),
      /** Of the request: what is done for it becomes part of its trace. */
      traceparent: traceparent.optional(),
    }),
    response: z.object({
      /** Those that take requests from now on; empty where none was paused, or could not be resumed. */
      resumed: z.array(routeInstance),
    }),
  }),
  followRoutes: defineOperation('followRoutes', {
    service: 'registry',
    method: 'get',
    path: '/internal/v1/routes',
    summary: 'The route feed of gateways',
    permission: 'internal',
    query: z.object({ epoch: z.string().optional(), version: z.coerce.number().int().optional() }),
    response: routeFrame,
    status: 200,
    streaming: true,
  }),
  listTeamRoutes: defineOperation('listTeamRoutes', {
    service: 'events',
    method: 'get',
    path: '/internal/v1/team-routes',
    summary: 'Where gateways reach the registered services of teams',
    permission: 'internal',
    response: z.object({ items: z.array(teamRoute) }),
  }),
  listUnitPrices: defineOperation('listUnitPrices', {
    service: 'billing',
    method: 'get',
    path: '/internal/v1/unit-prices',
    summary: 'The prices in force now, and which project has which',
    permission: 'internal',
    response: unitPrices,
  }),
};
