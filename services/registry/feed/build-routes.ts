import type { Route, RouteInstance, RouteTarget } from '@skyrun/contracts';
import { hostOf, type PublicAddress, type ServiceState, tagHostOf } from '../services/service-state.ts';
import type { RevisionRow } from '../store/tables.ts';

/** The routes of some services: the host of each, one of each tag, and its `domains`, by service id. */
export function buildRoutes(
  states: readonly ServiceState[],
  address: PublicAddress,
  domains: ReadonlyMap<string, readonly string[]> = new Map(),
): Route[] {
  return states.flatMap((state) => {
    const main = mainRoute(state, address);
    const own = (domains.get(state.service.id) ?? []).map((host) => ({ ...main, host }));
    return [main, ...tagRoutes(state, address), ...own];
  });
}

/**
 * Before a first revision is ready, all traffic goes to the newest, which has no ready instance yet: a request that comes
 * right after a deploy waits for it at the gateway rather than be refused.
 */
function mainRoute(state: ServiceState, address: PublicAddress): Route {
  const { service, newest, routed } = state;
  const shares = new Map<RevisionRow, number>();
  for (const { revision, percent } of routed) {
    if (percent > 0) shares.set(revision, (shares.get(revision) ?? 0) + percent);
  }
  if (shares.size === 0) shares.set(newest, 100);
  // Oldest first: as a newer one's share grows, a client that is kept at its side by a cookie changes sides once.
  const targets = [...shares].sort(([one], [other]) => one.number - other.number);
  return {
    ...about(state, hostOf(service, address)),
    ...(service.spec.sessionAffinity === true ? { sticky: true } : {}),
    targets: targets.map(([revision, percent]) => target(state, revision, percent)),
  };
}

function tagRoutes(state: ServiceState, address: PublicAddress): Route[] {
  const tagged = new Map(state.routed.flatMap(({ tag, revision }) => (tag === undefined ? [] : [[tag, revision]])));
  return [...tagged].map(([tag, revision]) => ({
    ...about(state, tagHostOf(state.service, tag, address)),
    targets: [target(state, revision, 100)],
  }));
}

function about({ service }: ServiceState, host: string) {
  const { policy } = service.spec;
  return {
    host,
    project: service.project,
    service: service.name,
    serviceId: service.id,
    ...(policy === undefined ? {} : { policy }),
  };
}

function target({ instances }: ServiceState, revision: RevisionRow, percent: number): RouteTarget {
  const { template } = revision;
  return {
    revisionId: revision.id,
    revisionName: revision.name,
    percent,
    protocol: template.protocol,
    containerConcurrency: template.containerConcurrency,
    timeoutMs: template.timeoutSeconds * 1000,
    maxScale: template.scaling.maxScale,
    billingMode: template.billingMode,
    cpuMilli: template.resources.cpuMilli,
    memoryMib: template.resources.memoryMib,
    instances: instances.filter(({ revisionId }) => revisionId === revision.id).flatMap(routeInstances),
  };
}

function routeInstances({
  id,
  address,
  port,
  state,
  stateVersion,
}: ServiceState['instances'][number]): RouteInstance[] {
  if (address === undefined || port === undefined) return [];
  const version = stateVersion === undefined ? {} : { version: stateVersion };
  return state === 'ready' || state === 'draining' || state === 'paused'
    ? [{ id, address, port, state, ...version }]
    : [];
}
