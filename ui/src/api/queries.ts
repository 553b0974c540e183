import { OPERATIONS } from '@skyrun/contracts';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { ApiClient } from './client.ts';

/** Cached under these keys; the live feed patches and invalidates by them. */
export const keys = {
  projects: ['projects'] as const,
  project: (project: string) => ['project', project] as const,
  services: (project: string) => ['project', project, 'services'] as const,
  service: (project: string, service: string) => ['project', project, 'service', service] as const,
  revisions: (project: string, service: string) => [...keys.service(project, service), 'revisions'] as const,
  instances: (project: string, service: string) => [...keys.service(project, service), 'instances'] as const,
  metrics: (project: string, service: string) => [...keys.service(project, service), 'metrics'] as const,
  decisions: (project: string, service: string) => [...keys.service(project, service), 'decisions'] as const,
  starts: (project: string, service: string) => [...keys.service(project, service), 'starts'] as const,
  images: (project: string) => ['project', project, 'images'] as const,
  apiKeys: (project: string) => ['project', project, 'api-keys'] as const,
  domains: (project: string) => ['project', project, 'domains'] as const,
  secrets: (project: string) => ['project', project, 'secrets'] as const,
  costs: (project: string) => ['project', project, 'costs'] as const,
  invoices: (project: string) => ['project', project, 'invoices'] as const,
  budgetAlerts: (project: string) => ['project', project, 'budget-alerts'] as const,
  members: (project: string) => ['project', project, 'members'] as const,
  events: (project: string) => ['project', project, 'events'] as const,
};

interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
}

/** More than this many pages of 200 are not shown in one list. */
const MAX_PAGES = 10;

async function allPages<Item>(load: (cursor: string | undefined) => Promise<Page<Item>>): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  for (let index = 0; index < MAX_PAGES; index += 1) {
    const page = await load(cursor);
    items.push(...page.items);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  return items;
}

export const paging = {
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page: { nextCursor: string | null }) => page.nextCursor ?? undefined,
};

export const projectsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: keys.projects,
    queryFn: ({ signal }) =>
      allPages((cursor) => api.call(OPERATIONS.listProjects, { query: { limit: 200, cursor }, signal })),
    staleTime: 60_000,
  });

export const servicesQuery = (api: ApiClient, project: string) =>
  queryOptions({
    queryKey: keys.services(project),
    queryFn: ({ signal }) =>
      allPages((cursor) =>
        api.call(OPERATIONS.listServices, { params: { project }, query: { limit: 200, cursor }, signal }),
      ),
    refetchInterval: 15_000,
  });

export const serviceQuery = (api: ApiClient, project: string, service: string) =>
  queryOptions({
    queryKey: keys.service(project, service),
    queryFn: ({ signal }) => api.call(OPERATIONS.getService, { params: { project, service }, signal }),
    refetchInterval: 10_000,
  });

export const revisionsQuery = (api: ApiClient, project: string, service: string) =>
  infiniteQueryOptions({
    queryKey: keys.revisions(project, service),
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.listRevisions, { params: { project, service }, query: { cursor }, signal }),
    ...paging,
  });

export const instancesQuery = (api: ApiClient, project: string, service: string) =>
  queryOptions({
    queryKey: keys.instances(project, service),
    queryFn: ({ signal }) =>
      allPages((cursor) =>
        api.call(OPERATIONS.listInstances, {
          params: { project, service },
          query: { all: 'true', limit: 200, cursor },
          signal,
        }),
      ),
    refetchInterval: 15_000,
  });

export const metricsQuery = (api: ApiClient, project: string, service: string) =>
  queryOptions({
    queryKey: keys.metrics(project, service),
    queryFn: ({ signal }) =>
      api.call(OPERATIONS.getMetrics, { params: { project, service }, query: { sinceSeconds: 3600 }, signal }),
    staleTime: 30_000,
  });

export const decisionsQuery = (api: ApiClient, project: string, service: string) =>
  infiniteQueryOptions({
    queryKey: keys.decisions(project, service),
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.listDecisions, { params: { project, service }, query: { cursor }, signal }),
    ...paging,
  });

/** Starts of a revision, or of the whole service. */
export const startsQuery = (api: ApiClient, project: string, service: string, revision?: string) =>
  infiniteQueryOptions({
    queryKey: [...keys.starts(project, service), 'list', revision ?? ''],
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.listStarts, {
        params: { project, service },
        query: { cursor, limit: 8, ...(revision === undefined ? {} : { revision }) },
        signal,
      }),
    ...paging,
  });

export const startSummaryQuery = (api: ApiClient, project: string, service: string, revision?: string) =>
  queryOptions({
    queryKey: [...keys.starts(project, service), 'summary', revision ?? ''],
    queryFn: ({ signal }) =>
      api.call(OPERATIONS.summarizeStarts, {
        params: { project, service },
        query: revision === undefined ? {} : { revision },
        signal,
      }),
  });

export const imagesQuery = (api: ApiClient, project: string) =>
  infiniteQueryOptions({
    queryKey: keys.images(project),
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.listImages, { params: { project }, query: { cursor }, signal }),
    ...paging,
  });

export const domainsQuery = (api: ApiClient, project: string) =>
  queryOptions({
    queryKey: keys.domains(project),
    queryFn: ({ signal }) =>
      allPages((cursor) =>
        api.call(OPERATIONS.listDomains, { params: { project }, query: { limit: 200, cursor }, signal }),
      ),
    // A look that finds nothing new is no event.
    refetchInterval: 10_000,
  });

export const secretsQuery = (api: ApiClient, project: string) =>
  queryOptions({
    queryKey: keys.secrets(project),
    queryFn: ({ signal }) =>
      allPages((cursor) =>
        api.call(OPERATIONS.listSecrets, { params: { project }, query: { limit: 200, cursor }, signal }),
      ),
  });

export const apiKeysQuery = (api: ApiClient, project: string) =>
  queryOptions({
    queryKey: keys.apiKeys(project),
    queryFn: ({ signal }) =>
      allPages((cursor) =>
        api.call(OPERATIONS.listApiKeys, { params: { project }, query: { limit: 200, cursor }, signal }),
      ),
  });

export const imageQuery = (api: ApiClient, project: string, imageId: string) =>
  queryOptions({
    queryKey: [...keys.images(project), imageId],
    queryFn: ({ signal }) => api.call(OPERATIONS.getImage, { params: { project, imageId }, signal }),
  });

export const costsQuery = (api: ApiClient, project: string) =>
  queryOptions({
    queryKey: keys.costs(project),
    queryFn: ({ signal }) => api.call(OPERATIONS.getCosts, { params: { project }, signal }),
    refetchInterval: 10_000,
  });

export const invoicesQuery = (api: ApiClient, project: string) =>
  infiniteQueryOptions({
    queryKey: keys.invoices(project),
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.listInvoices, { params: { project }, query: { cursor }, signal }),
    ...paging,
  });

export const invoiceQuery = (api: ApiClient, project: string, invoiceId: string) =>
  queryOptions({
    queryKey: [...keys.invoices(project), invoiceId],
    queryFn: ({ signal }) => api.call(OPERATIONS.getInvoice, { params: { project, invoiceId }, signal }),
  });

export const membersQuery = (api: ApiClient, project: string) =>
  queryOptions({
    queryKey: keys.members(project),
    queryFn: ({ signal }) =>
      allPages((cursor) =>
        api.call(OPERATIONS.listMembers, { params: { project }, query: { limit: 200, cursor }, signal }),
      ),
  });

export interface EventFilter {
  readonly type?: string;
  readonly text?: string;
}

export const eventsQuery = (api: ApiClient, project: string, filter: EventFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.events(project), filter],
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.listProjectEvents, { params: { project }, query: { ...filter, cursor, limit: 50 }, signal }),
    ...paging,
  });
