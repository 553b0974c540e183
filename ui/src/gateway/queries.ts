import { OPERATIONS } from '@skyrun/contracts';
import { queryOptions } from '@tanstack/react-query';
import type { ApiClient } from '../api/client.ts';

/** Gateways show themselves every two seconds. */
const EVERY_MS = 2000;

export const gatewaysQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['gateways'],
    queryFn: async ({ signal }) => (await api.call(OPERATIONS.listGateways, { signal })).items,
    refetchInterval: EVERY_MS,
  });
