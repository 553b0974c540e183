import { OPERATIONS } from '@skyrun/contracts';
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { ApiClient } from '../api/client.ts';
import { paging } from '../api/queries.ts';

/** Gateways show themselves every two seconds. */
const EVERY_MS = 2000;

export const gatewaysQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['gateways'],
    queryFn: async ({ signal }) => (await api.call(OPERATIONS.listGateways, { signal })).items,
    refetchInterval: EVERY_MS,
  });

/** Every page that was loaded is read again at once: few enough people look for that to cost nothing. */
const ROUTES_EVERY_MS = 10_000;

export const gatewayRoutesQuery = (api: ApiClient, text: string) =>
  infiniteQueryOptions({
    queryKey: ['gateway-routes', text],
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.listGatewayRoutes, {
        query: { limit: 20, cursor, ...(text === '' ? {} : { text }) },
        signal,
      }),
    ...paging,
    // What was found before stays while somebody types.
    placeholderData: keepPreviousData,
    refetchInterval: ROUTES_EVERY_MS,
  });
