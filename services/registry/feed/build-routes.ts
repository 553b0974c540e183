import type { Route, RouteInstance } from '@skyrun/contracts';
import { hostOf, type PublicAddress, type ServiceState } from '../services/service-state.ts';

/** The routes of some services, at most one each. */
export function buildRoutes(states: readonly ServiceState[], address: PublicAddress): Route[] {
  return states.map((state) => buildRoute(state, address));
}

/**
 * All traffic goes to the latest ready revision. Before a first one is ready, it goes to the newest, which has no ready
 * instance yet: a request that comes right after a deploy waits for it at the gateway rather than be refused.
 */
function buildRoute({ service, newest, ready, instances }: ServiceState, address: PublicAddress): Route {
  const revision = ready ?? newest;
  const { template } = revision;
  return {
    host: hostOf(service, address),
    project: service.project,
    service: service.name,
    serviceId: service.id,
    targets: [
      {
        revisionId: revision.id,
        revisionName: revision.name,
        percent: 100,
        protocol: template.protocol,
        containerConcurrency: template.containerConcurrency,
        timeoutMs: template.timeoutSeconds * 1000,
        maxScale: template.scaling.maxScale,
        billingMode: template.billingMode,
        cpuMilli: template.resources.cpuMilli,
        memoryMib: template.resources.memoryMib,
        instances: instances.filter(({ revisionId }) => revisionId === revision.id).flatMap(routeInstances),
      },
    ],
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
