import { z } from 'zod';
import { gatewayRoute } from '../resources/gateway-route.ts';
import { defineOperation } from './define.ts';
import { page, pageQuery } from './paging.ts';

export const gatewayRouteOperations = {
  listGatewayRoutes: defineOperation('listGatewayRoutes', {
    service: 'registry',
    method: 'get',
    path: '/api/v1/gateway-routes',
    summary: 'Routes of the gateways, by host, those of the platform last',
    permission: 'admin',
    query: pageQuery.extend({
      text: z.string().max(253).optional().describe('found in the host, the path, or in project/service'),
    }),
    response: page(gatewayRoute).extend({ total: z.int().describe('routes in all, whatever is searched for') }),
  }),
};
