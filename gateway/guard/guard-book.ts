import type { Route, ServicePolicy } from '@skyrun/contracts';
import { Guard, type GuardDeps } from './guard.ts';

/** A policy that asks nothing of a request. */
function asksNothing(policy: ServicePolicy): boolean {
  const { invoker, allow, deny, rateLimits, cors, maintenance, maxRequestBytes, waitingPage } = policy;
  return (
    invoker === 'public' &&
    allow.length === 0 &&
    deny.length === 0 &&
    rateLimits.length === 0 &&
    cors === undefined &&
    maintenance === undefined &&
    maxRequestBytes === undefined &&
    !waitingPage &&
    policy.firstByteTimeoutMs === undefined &&
    policy.idleTimeoutMs === undefined
  );
}

/** The guard of a route, or null where its service asks nothing. */
export function guardOf(route: Route, deps: GuardDeps): Guard | null {
  const { policy, project, service, serviceId } = route;
  return policy === undefined || asksNothing(policy) ? null : new Guard(policy, { project, service, serviceId, deps });
}
