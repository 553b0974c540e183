import { z } from 'zod';

/** Who is there. `edge`: callers from outside; `service`: a Skyrun service; `team`: registered by a team, or known by the name of its API key; `webhook`: a push destination. */
export const mapNode = z.object({
  id: z.string(),
  kind: z.enum(['edge', 'service', 'team', 'platform', 'group', 'webhook']),
  name: z.string(),
  health: z.enum(['healthy', 'degraded', 'unhealthy', 'expired', 'unknown']),
  copies: z.int().min(0).describe('ready instances or registered copies'),
  types: z.array(z.string()).describe('event types it asked for'),
});
export type MapNode = z.infer<typeof mapNode>;

/** Who calls or feeds whom, over the window. */
export const mapEdge = z.object({
  from: z.string(),
  to: z.string(),
  kind: z.enum(['http', 'event', 'push']),
  perSecond: z.number(),
  errorRatio: z.number().min(0).max(1),
  latencyMs: z.number().nullable().describe('http: the 95th percentile; else the mean of one handling or delivery'),
  types: z.array(z.string()).describe('event types that flow here'),
});
export type MapEdge = z.infer<typeof mapEdge>;

export const serviceMap = z.object({ windowSeconds: z.int(), nodes: z.array(mapNode), edges: z.array(mapEdge) });
export type ServiceMap = z.infer<typeof serviceMap>;
