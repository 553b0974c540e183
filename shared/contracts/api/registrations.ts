import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { dnsLabel } from '../names.ts';
import { healthState, registration } from '../resources/registration.ts';
import { serviceMap } from '../resources/service-map.ts';
import { defineOperation } from './define.ts';
import { gatewayCalls } from './gateway-calls.ts';
import { page, pageQuery } from './paging.ts';

const inProject = z.object({ project: dnsLabel });
const one = inProject.extend({ registration: idSchema('registration') });
const base = '/api/v1/projects/{project}/registrations';

/** Where the services of a team find each other. Each running copy registers itself and says regularly that it is there. */
export const registrationOperations = {
  registerTeamService: defineOperation('registerTeamService', {
    service: 'events',
    method: 'post',
    path: base,
    summary: 'Register a running copy of a service; the same name and address again renews it',
    permission: 'services.write',
    params: inProject,
    body: z.strictObject({
      name: dnsLabel,
      address: z
        .url({ protocol: /^[a-z][a-z0-9+.-]*$/ })
        .max(500)
        .describe('e.g. http://10.1.2.3:8080'),
      metadata: z.record(z.string().min(1).max(60), z.string().max(500)).default({}),
      healthUrl: z
        .url({ protocol: /^https?$/ })
        .max(500)
        .optional()
        .describe(
          'asked regularly; 2xx is healthy. Private and metadata addresses are refused unless the operator allows them',
        ),
      ttlSeconds: z.int().min(5).max(3_600).default(30),
    }),
    response: registration,
    status: 201,
  }),
  heartbeatTeamService: defineOperation('heartbeatTeamService', {
    service: 'events',
    method: 'post',
    path: `${base}/{registration}/heartbeat`,
    summary: 'Say that it is there, and how it is; 404 when it was gone too long and must register again',
    permission: 'services.write',
    params: one,
    body: z.strictObject({ health: healthState.default('healthy'), message: z.string().max(500).default('') }),
    response: registration,
    problems: ['resource.not_found'],
  }),
  listTeamServices: defineOperation('listTeamServices', {
    service: 'events',
    method: 'get',
    path: base,
    summary: 'Registered copies by name; expired ones are shown for an hour',
    permission: 'services.read',
    params: inProject,
    query: pageQuery.extend({
      name: dnsLabel.optional(),
      health: z.enum([...healthState.options, 'expired']).optional(),
    }),
    response: page(registration),
  }),
  watchTeamServices: defineOperation('watchTeamServices', {
    service: 'events',
    method: 'get',
    path: `${base}/watch`,
    summary: 'All registered copies now, and again after each change, one list a line',
    permission: 'services.read',
    params: inProject,
    query: z.object({ name: dnsLabel.optional() }),
    response: z.object({ items: z.array(registration) }),
    streaming: true,
  }),
  getServiceMap: defineOperation('getServiceMap', {
    service: 'events',
    method: 'get',
    path: '/api/v1/projects/{project}/service-map',
    summary: 'Who calls and feeds whom in a project, from the traffic and events of the last minutes',
    permission: 'services.read',
    params: inProject,
    response: serviceMap,
  }),
  listTeamRoutes: gatewayCalls.listTeamRoutes,
  deregisterTeamService: defineOperation('deregisterTeamService', {
    service: 'events',
    method: 'delete',
    path: `${base}/{registration}`,
    summary: 'Forget a copy that ends',
    permission: 'services.write',
    params: one,
    problems: ['resource.not_found'],
  }),
};
