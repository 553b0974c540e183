import { z } from 'zod';
import { timestamp } from '../names.ts';
import { statusClasses } from './metrics.ts';

const place = { project: z.string(), service: z.string() };

/** How many of the busiest services, and of limits that refused, a view names. */
export const VIEW_SERVICES = 50;
/** How many of the busiest client addresses a view names. */
export const VIEW_CLIENTS = 20;
/** How many ejected instances a view names. */
export const VIEW_EJECTED = 100;
/** How many routes that it could not take a view names. */
export const VIEW_INVALID_ROUTES = 50;

/** What one gateway process is doing: its counts are of the `windowMs` before `at`. */
export const gatewayView = z.object({
  gateway: z.string().describe('stable id of the gateway process'),
  startedAt: timestamp,
  at: timestamp,
  windowMs: z.int().min(1),
  draining: z.boolean().describe('it was told to stop and ends what it has'),
  residentBytes: z.int(),
  /** CPU time of the process in the window, as a share of one core. */
  cpuShare: z.number(),
  connections: z.int().describe('client connections that are open'),
  accepted: z.int().describe('client connections that came in the window'),
  refused: z.int().describe('malformed or late requests that were refused in the window'),
  /** Responses that ended in the window. */
  statusClasses,
  inFlight: z.int().describe('requests in flight or waiting'),
  waiting: z.int().describe('requests that wait for an instance'),
  routes: z.int(),
  instances: z.int(),
  registryLive: z.boolean().describe('routes come from the registry; otherwise the last known ones are in force'),
  invalidRouteCount: z.int().default(0).describe('routes of the registry that could not be taken as they came'),
  invalidRoutes: z
    .array(
      z.object({
        host: z.string().nullable().describe('null where not even that can be read'),
        project: z.string().nullable(),
        service: z.string().nullable(),
        field: z.string().describe('the first field of the route that is not valid'),
        problem: z.string(),
        serves: z.boolean().describe('what was valid before is in force in its place; otherwise the host has no route'),
      }),
    )
    .max(VIEW_INVALID_ROUTES)
    .default([])
    .describe('some of them'),
  sharedLimits: z
    .enum(['shared', 'alone', 'unreachable'])
    .describe('whether rate limits are one with those of other gateways'),
  services: z
    .array(
      z.object({
        ...place,
        revision: z.string(),
        requests: z.int(),
        errors: z.int().describe('responses of 500 and above'),
        p95Ms: z.number().nullable(),
        inFlight: z.int(),
        waiting: z.int(),
        ready: z.int().describe('instances that take requests'),
        instances: z.int(),
      }),
    )
    .max(VIEW_SERVICES)
    .describe('revisions with traffic, the busiest first'),
  ejected: z
    .array(
      z.object({
        ...place,
        revision: z.string(),
        instanceId: z.string(),
        failures: z.int().describe('in a row'),
        retryInMs: z.int().describe('until a request tries it again; 0: the next one does'),
      }),
    )
    .max(VIEW_EJECTED)
    .describe('instances whose circuit breaker is open'),
  limits: z
    .array(z.object({ ...place, limit: z.string(), per: z.string(), refused: z.int() }))
    .max(VIEW_SERVICES)
    .describe('rate limits that refused requests in the window, the busiest first'),
  clients: z
    .array(z.object({ address: z.string(), requests: z.int(), connections: z.int() }))
    .max(VIEW_CLIENTS)
    .describe('client addresses with the most requests'),
});
export type GatewayView = z.infer<typeof gatewayView>;
