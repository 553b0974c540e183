import { OPERATIONS } from '@skyrun/contracts';
import type { Api } from '@skyrun/kit';
import type { HealthChecks } from './health.ts';
import type { Registrations } from './registrations.ts';
import type { TeamRoutes } from './team-routes.ts';
import type { Watch } from './watch.ts';

export interface RegistrationRoutes {
  readonly registrations: Registrations;
  readonly health: Pick<HealthChecks, 'requireAllowed'>;
  readonly watch: Watch;
  readonly teamRoutes: TeamRoutes;
  /** @throws Problem `platform.unavailable` */
  readonly requireStarted: () => void;
}

export function bindRegistrations(
  api: Api,
  { registrations, health, watch, teamRoutes, requireStarted }: RegistrationRoutes,
): void {
  const keyOf = ({ project, registration }: { project: string; registration: string }) => ({
    project,
    id: registration,
  });
  api.handle(OPERATIONS.registerTeamService, async ({ params, body }) => {
    requireStarted();
    if (body.healthUrl !== undefined) await health.requireAllowed(body.healthUrl);
    return registrations.register(params.project, body);
  });
  api.handle(OPERATIONS.heartbeatTeamService, ({ params, body }) => {
    requireStarted();
    return registrations.heartbeat(keyOf(params), body);
  });
  api.handle(OPERATIONS.listTeamServices, ({ params, query }) => {
    requireStarted();
    return registrations.list(params.project, query);
  });
  api.handle(OPERATIONS.watchTeamServices, ({ params, query, signal }) => {
    requireStarted();
    return watch.watch(params.project, query.name, signal);
  });
  api.handle(OPERATIONS.listTeamRoutes, async () => {
    requireStarted();
    return { items: await teamRoutes() };
  });
  api.handle(OPERATIONS.deregisterTeamService, async ({ params }) => {
    requireStarted();
    await registrations.deregister(keyOf(params));
    return undefined;
  });
}
