import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { dnsLabel } from '../names.ts';
import { servicePolicy } from '../resources/policy.ts';

export const routeInstance = z.object({
  id: idSchema('instance'),
  address: z.string(),
  port: z.int(),
  /** A draining instance finishes what it has and gets nothing new. A paused one must be woken first. */
  state: z.enum(['ready', 'draining', 'paused']),
  /** The instance's `stateVersion`: what was heard of a later one holds against an earlier one. */
  version: z.int().optional(),
});
export type RouteInstance = z.infer<typeof routeInstance>;

export const routeTarget = z.object({
  revisionId: idSchema('revision'),
  revisionName: z.string(),
  percent: z.int(),
  protocol: z.enum(['http1', 'h2c']),
  containerConcurrency: z.int().describe('0 is no limit'),
  timeoutMs: z.int(),
  maxScale: z.int(),
  billingMode: z.enum(['request', 'instance']),
  cpuMilli: z.int(),
  memoryMib: z.int(),
  instances: z.array(routeInstance),
});
export type RouteTarget = z.infer<typeof routeTarget>;

/** Host → service → revisions → ready instances. `host` has no port. */
export const route = z.object({
  host: z.string(),
  project: dnsLabel,
  service: dnsLabel,
  serviceId: idSchema('service'),
  /** Whether a cookie keeps a client at its side of a split. */
  sticky: z.boolean().optional(),
  /** What is asked of a request; absent: nothing. */
  policy: servicePolicy.optional(),
  targets: z.array(routeTarget),
  blocked: z
    .enum(['spending_cap'])
    .optional()
    .describe('why the service must not be reached; the gateway answers in its place'),
});
export type Route = z.infer<typeof route>;

const more = z.boolean().optional();

function frameWith<Each extends z.ZodType>(each: Each) {
  return z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('snapshot'), epoch: z.string(), version: z.int(), routes: z.array(each), more }),
    z.object({
      kind: z.literal('delta'),
      epoch: z.string(),
      version: z.int(),
      upserts: z.array(each),
      removes: z.array(z.string()),
      more,
    }),
    z.object({ kind: z.literal('heartbeat'), epoch: z.string(), version: z.int() }),
  ]);
}

/**
 * The feed that gateways follow, one JSON object a line. The first frame of a connection is a snapshot, or a delta
 * where the gateway named the `epoch` and `version` it has and the registry can go on from there.
 * Of a snapshot or a delta with very many routes, several frames of the same `version` come, all but the last with `more`;
 * together they are one, so that neither side has to hold up everything else for it.
 * A feed that is silent for longer than `FEED_HEARTBEAT_MS` × 3 is dead: reconnect.
 */
export const routeFrame = frameWith(route);
export type RouteFrame = z.infer<typeof routeFrame>;

/** A frame before its routes are looked at, so that one that cannot be read does not take the others with it. */
export const unreadRouteFrame = frameWith(z.unknown());
export type UnreadRouteFrame = z.infer<typeof unreadRouteFrame>;
export const FEED_HEARTBEAT_MS = 2000;

/** Routes of one frame: reading so many takes a few milliseconds. */
const FRAME_ROUTES = 100;

/** A frame as it is sent: in parts, where it is long. */
export function* frameParts(frame: RouteFrame): Generator<RouteFrame> {
  if (frame.kind === 'heartbeat') {
    yield frame;
    return;
  }
  const { epoch, version } = frame;
  const all = frame.kind === 'snapshot' ? frame.routes : frame.upserts;
  for (let start = 0; start === 0 || start < all.length; start += FRAME_ROUTES) {
    const some = all.slice(start, start + FRAME_ROUTES);
    const rest = start + FRAME_ROUTES < all.length ? { more: true } : {};
    if (frame.kind === 'snapshot') yield { kind: 'snapshot', epoch, version, routes: some, ...rest };
    else yield { kind: 'delta', epoch, version, upserts: some, removes: start === 0 ? frame.removes : [], ...rest };
  }
}
