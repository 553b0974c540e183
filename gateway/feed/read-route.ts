import { type Route, type RouteFrame, route, routeTarget, type UnreadRouteFrame } from '@skyrun/contracts';
import type { z } from 'zod';

/** A route that cannot be taken as it was sent, and what can be read of it. */
export interface InvalidRoute {
  readonly host: string | null;
  readonly project: string | null;
  readonly service: string | null;
  /** The first that is not valid, such as `targets.0.protocol`. */
  readonly field: string;
  readonly problem: string;
  /** As it was sent. */
  readonly sent: unknown;
}

/** The frame with its valid routes, and the others beside it. */
export function readFrame(frame: UnreadRouteFrame): { frame: RouteFrame; invalid: readonly InvalidRoute[] } {
  if (frame.kind === 'heartbeat') return { frame, invalid: [] };
  const routes: Route[] = [];
  const invalid: InvalidRoute[] = [];
  for (const sent of frame.kind === 'snapshot' ? frame.routes : frame.upserts) {
    const read = readRoute(sent);
    if ('sent' in read) invalid.push(read);
    else routes.push(read);
  }
  return { frame: frame.kind === 'snapshot' ? { ...frame, routes } : { ...frame, upserts: routes }, invalid };
}

export function readRoute(sent: unknown): Route | InvalidRoute {
  const { success, data, error } = route.safeParse(sent);
  return success ? data : invalidRoute(sent, error);
}

function invalidRoute(sent: unknown, error: z.ZodError): InvalidRoute {
  const said = fieldsOf(sent);
  const text = (name: string) => {
    const value = said.get(name);
    return typeof value === 'string' ? value : null;
  };
  const [first] = error.issues;
  return {
    host: text('host'),
    project: text('project'),
    service: text('service'),
    field: first === undefined || first.path.length === 0 ? 'route' : first.path.join('.'),
    problem: first?.message ?? 'is not valid',
    sent,
  };
}

/**
 * What goes on in place of an invalid route: the former one, with every field of the new one that is valid by itself. Where
 * its revisions are not, the former ones stay, at the instances that are named for them now. Null where the host is another
 * service's by now.
 */
export function formerWith(former: Route, sent: unknown): Route | null {
  const said = fieldsOf(sent);
  const service = route.shape.serviceId.safeParse(said.get('serviceId'));
  if (service.success && service.data !== former.serviceId) return null;
  const readable = Object.entries(route.shape).flatMap(([name, schema]) => {
    const { success, data } = schema.safeParse(said.get(name));
    return success ? [[name, data] as const] : [];
  });
  const instances = instancesOf(said.get('targets'));
  const targets = former.targets.map((target) => ({
    ...target,
    instances: instances.get(target.revisionId) ?? target.instances,
  }));
  const mended = route.safeParse({ ...former, targets, ...Object.fromEntries(readable) });
  return mended.success ? mended.data : former;
}

const instancesOfTarget = routeTarget.pick({ revisionId: true, instances: true });

function instancesOf(targets: unknown): Map<string, Route['targets'][number]['instances']> {
  const all = Array.isArray(targets) ? targets : [];
  return new Map(
    all.flatMap((target) => {
      const { success, data } = instancesOfTarget.safeParse(target);
      return success ? [[data.revisionId, data.instances] as const] : [];
    }),
  );
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}
