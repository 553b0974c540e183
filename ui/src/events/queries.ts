import { type Delivery, OPERATIONS } from '@skyrun/contracts';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { ApiClient } from '../api/client.ts';
import { keys } from '../api/queries.ts';

const PAGE = 200;

export const eventKeys = {
  catalogue: (project: string) => [...keys.project(project), 'catalogue'] as const,
  subscriptions: (project: string) => [...keys.project(project), 'subscriptions'] as const,
  deliveries: (project: string, id: string) => [...keys.project(project), 'subscriptions', id, 'deliveries'] as const,
  map: (project: string) => [...keys.project(project), 'service-map'] as const,
  deadLetters: ['dead-letters'] as const,
};

export const catalogueQuery = (api: ApiClient, project: string) =>
  queryOptions({
    queryKey: eventKeys.catalogue(project),
    queryFn: async ({ signal }) => (await api.call(OPERATIONS.getCatalogue, { params: { project }, signal })).items,
    staleTime: 15_000,
  });

export const subscriptionsQuery = (api: ApiClient, project: string) =>
  queryOptions({
    queryKey: eventKeys.subscriptions(project),
    queryFn: async ({ signal }) =>
      (await api.call(OPERATIONS.listSubscriptions, { params: { project }, query: { limit: PAGE }, signal })).items,
    refetchInterval: 10_000,
  });

export const deliveriesQuery = (api: ApiClient, project: string, subscription: string, state: Delivery['state'] | '') =>
  infiniteQueryOptions({
    queryKey: [...eventKeys.deliveries(project, subscription), state],
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.listDeliveries, {
        params: { project, subscription },
        query: { limit: 50, cursor, ...(state === '' ? {} : { state }) },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: 5_000,
  });

export const serviceMapQuery = (api: ApiClient, project: string) =>
  queryOptions({
    queryKey: eventKeys.map(project),
    queryFn: ({ signal }) => api.call(OPERATIONS.getServiceMap, { params: { project }, signal }),
    refetchInterval: 5_000,
  });

export const deadLetterGroupsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: eventKeys.deadLetters,
    queryFn: async ({ signal }) => (await api.call(OPERATIONS.listDeadLetterGroups, { signal })).items,
    refetchInterval: 15_000,
  });

export const deadLettersQuery = (api: ApiClient, group: string) =>
  infiniteQueryOptions({
    queryKey: [...eventKeys.deadLetters, group],
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.listDeadLetters, { params: { group }, query: { limit: 50, cursor }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
