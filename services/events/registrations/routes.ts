import { OPERATIONS } from '@skyrun/contracts';
import type { Api } from '@skyrun/kit';
import type { Registrations } from './registrations.ts';

export function bindRegistrations(api: Api, registrations: Registrations, requireStarted: () => void): void {
  const keyOf = ({ project, registration }: { project: string; registration: string }) => ({
    project,
    id: registration,
  });
  api.handle(OPERATIONS.registerTeamService, ({ params, body }) => {
    requireStarted();
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
  api.handle(OPERATIONS.deregisterTeamService, async ({ params }) => {
    requireStarted();
    await registrations.deregister(keyOf(params));
    return undefined;
  });
}
