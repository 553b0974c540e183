import type { GatewayView } from '@skyrun/contracts';

/** One that showed nothing for so long is taken for gone; its last figures would mislead. */
const SILENT_AFTER_MS = 10_000;

export const isSilent = (view: GatewayView, now: number): boolean => now - Date.parse(view.at) > SILENT_AFTER_MS;

export const perSecond = (count: number, windowMs: number): number => (count * 1000) / windowMs;

export const responses = ({ statusClasses }: GatewayView): number =>
  Object.values(statusClasses).reduce((sum, count) => sum + count, 0);

export interface BusyService {
  readonly project: string;
  readonly service: string;
  readonly revision: string;
  /** Per second. */
  requests: number;
  errors: number;
  /** The slowest gateway's. */
  p95Ms: number | null;
  inFlight: number;
  waiting: number;
  ready: number;
  instances: number;
}

export interface BusyClient {
  readonly address: string;
  /** Per second. */
  requests: number;
  connections: number;
}

export interface BusyLimit {
  readonly project: string;
  readonly service: string;
  readonly limit: string;
  readonly per: string;
  /** Per second. */
  refused: number;
}

/** A route that could not be taken as the registry sent it. */
export type InvalidRoute = GatewayView['invalidRoutes'][number] & { readonly gateways: readonly string[] };

export interface Combined {
  /** Per second. */
  readonly requests: number;
  readonly errors: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly services: readonly BusyService[];
  readonly clients: readonly BusyClient[];
  readonly limits: readonly BusyLimit[];
  /** As many as gateways name; `invalidRouteCount` are in all. */
  readonly invalidRoutes: readonly InvalidRoute[];
  readonly invalidRouteCount: number;
  readonly ejected: readonly (GatewayView['ejected'][number] & { readonly gateway: string })[];
}

/** Gateways side by side as one. Instances are the same at each of them, so of those the largest count holds. */
export function combine(views: readonly GatewayView[]): Combined {
  const services = new Map<string, BusyService>();
  const clients = new Map<string, BusyClient>();
  const limits = new Map<string, BusyLimit>();
  for (const view of views) {
    const rate = (count: number) => perSecond(count, view.windowMs);
    for (const { requests, errors, p95Ms, inFlight, waiting, ready, instances, ...place } of view.services) {
      const sum = entry(services, `${place.project}/${place.revision}`, () => ({
        ...place,
        requests: 0,
        errors: 0,
        p95Ms: null,
        inFlight: 0,
        waiting: 0,
        ready: 0,
        instances: 0,
      }));
      sum.requests += rate(requests);
      sum.errors += rate(errors);
      sum.p95Ms = p95Ms === null ? sum.p95Ms : Math.max(sum.p95Ms ?? 0, p95Ms);
      sum.inFlight += inFlight;
      sum.waiting += waiting;
      sum.ready = Math.max(sum.ready, ready);
      sum.instances = Math.max(sum.instances, instances);
    }
    for (const { address, requests, connections } of view.clients) {
      const sum = entry(clients, address, () => ({ address, requests: 0, connections: 0 }));
      sum.requests += rate(requests);
      sum.connections += connections;
    }
    for (const { refused, ...place } of view.limits) {
      const sum = entry(limits, `${place.project}/${place.service}/${place.limit}`, () => ({ ...place, refused: 0 }));
      sum.refused += rate(refused);
    }
  }
  const total = (of: (view: GatewayView) => number) => views.reduce((sum, view) => sum + of(view), 0);
  return {
    requests: total((view) => perSecond(responses(view), view.windowMs)),
    errors: total((view) => perSecond(view.statusClasses['5xx'], view.windowMs)),
    connections: total(({ connections }) => connections),
    inFlight: total(({ inFlight }) => inFlight),
    waiting: total(({ waiting }) => waiting),
    services: [...services.values()].sort((a, b) => b.requests - a.requests),
    clients: [...clients.values()].sort((a, b) => b.requests - a.requests),
    limits: [...limits.values()].sort((a, b) => b.refused - a.refused),
    invalidRoutes: invalidRoutesOf(views),
    invalidRouteCount: Math.max(0, ...views.map(({ invalidRouteCount }) => invalidRouteCount)),
    ejected: views.flatMap(({ gateway, ejected }) => ejected.map((instance) => ({ gateway, ...instance }))),
  };
}

function invalidRoutesOf(views: readonly GatewayView[]): InvalidRoute[] {
  const routes = new Map<
    string,
    { readonly route: GatewayView['invalidRoutes'][number]; readonly gateways: string[] }
  >();
  for (const { gateway, invalidRoutes } of views) {
    for (const route of invalidRoutes) {
      entry(routes, JSON.stringify(route), () => ({ route, gateways: [] })).gateways.push(gateway);
    }
  }
  return [...routes.values()].map(({ route, gateways }) => ({ ...route, gateways }));
}

function entry<Value>(all: Map<string, Value>, key: string, create: () => Value): Value {
  const known = all.get(key);
  if (known !== undefined) return known;
  const made = create();
  all.set(key, made);
  return made;
}
