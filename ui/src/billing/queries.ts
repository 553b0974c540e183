import { type BILLING_JOB_STATES, type COST_GROUPS, NOTICE_TYPES, OPERATIONS } from '@skyrun/contracts';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { ApiClient } from '../api/client.ts';
import { keys, paging } from '../api/queries.ts';

/** Everything below `costs` is asked for again when the live feed says that cost changed. */
export const billingKeys = {
  analysis: (project: string) => [...keys.costs(project), 'analysis'] as const,
  budgets: (project: string) => [...keys.costs(project), 'budgets'] as const,
  creditNotes: (project: string) => [...keys.invoices(project), 'credit-notes'] as const,
  usage: (project: string) => ['project', project, 'usage'] as const,
  ledger: (project: string) => ['project', project, 'ledger'] as const,
  priceLists: ['price-lists'] as const,
  accountPriceList: (project: string) => ['project', project, 'price-list'] as const,
  jobs: ['billing-jobs'] as const,
  contacts: (project: string) => ['project', project, 'billing-contacts'] as const,
  mails: (project: string) => ['project', project, 'billing-mails'] as const,
  webhooks: (project: string) => ['project', project, 'billing-webhooks'] as const,
  advice: (project: string) => ['project', project, 'billing-advice'] as const,
};

/** Live cost is at most this old: two seconds of the feed, or this poll where the feed is away. */
const LIVE_MS = 4_000;

export type CostGroup = (typeof COST_GROUPS)[number];

export interface AnalysisAsk {
  readonly groupBy: CostGroup;
  /** Days, e.g. `2026-01-31`; this month if not given. */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

export const analysisQuery = (api: ApiClient, project: string, ask: AnalysisAsk, live = false) =>
  queryOptions({
    queryKey: [...billingKeys.analysis(project), ask],
    queryFn: ({ signal }) => api.call(OPERATIONS.getCostAnalysis, { params: { project }, query: { ...ask }, signal }),
    refetchInterval: live ? LIVE_MS : 30_000,
    placeholderData: (before) => before,
  });

export const budgetsQuery = (api: ApiClient, project: string) =>
  queryOptions({
    queryKey: billingKeys.budgets(project),
    queryFn: ({ signal }) => api.call(OPERATIONS.listBudgets, { params: { project }, signal }),
    refetchInterval: 10_000,
  });

export const budgetAlertsQuery = (api: ApiClient, project: string) =>
  infiniteQueryOptions({
    queryKey: keys.budgetAlerts(project),
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.listBudgetAlerts, { params: { project }, query: { cursor, limit: 20 }, signal }),
    ...paging,
    refetchInterval: 30_000,
  });

export const creditNotesQuery = (api: ApiClient, project: string) =>
  infiniteQueryOptions({
    queryKey: billingKeys.creditNotes(project),
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.listCreditNotes, { params: { project }, query: { cursor }, signal }),
    ...paging,
  });

/** The usage rows behind one line of an invoice. */
export const lineUsageQuery = (api: ApiClient, project: string, invoiceId: string, line: number) =>
  infiniteQueryOptions({
    queryKey: [...billingKeys.usage(project), invoiceId, line],
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.listUsage, { params: { project }, query: { invoiceId, line, cursor, limit: 50 }, signal }),
    ...paging,
    // What an invoice took does not change any more.
    staleTime: Number.POSITIVE_INFINITY,
  });

export const ledgerQuery = (api: ApiClient, project: string) =>
  queryOptions({
    queryKey: billingKeys.ledger(project),
    queryFn: ({ signal }) => api.call(OPERATIONS.getLedger, { params: { project }, signal }),
    refetchInterval: 30_000,
  });

export const ledgerEntriesQuery = (api: ApiClient, project: string) =>
  infiniteQueryOptions({
    queryKey: [...billingKeys.ledger(project), 'entries'],
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.listLedgerEntries, { params: { project }, query: { cursor, limit: 50 }, signal }),
    ...paging,
  });

export const priceListsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: billingKeys.priceLists,
    queryFn: ({ signal }) => api.call(OPERATIONS.listPriceLists, { signal }),
    staleTime: 30_000,
  });

export type JobState = (typeof BILLING_JOB_STATES)[number];

export const jobsQuery = (api: ApiClient, state: JobState | undefined) =>
  queryOptions({
    queryKey: [...billingKeys.jobs, state ?? 'all'],
    queryFn: ({ signal }) => api.call(OPERATIONS.listBillingJobs, { query: { state }, signal }),
    refetchInterval: 3_000,
    placeholderData: (before) => before,
  });

export const contactsQuery = (api: ApiClient, project: string) =>
  queryOptions({
    queryKey: billingKeys.contacts(project),
    queryFn: ({ signal }) => api.call(OPERATIONS.getBillingContacts, { params: { project }, signal }),
  });

export const mailsQuery = (api: ApiClient, project: string) =>
  infiniteQueryOptions({
    queryKey: billingKeys.mails(project),
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.listBillingMails, { params: { project }, query: { cursor, limit: 20 }, signal }),
    ...paging,
    refetchInterval: 5_000,
  });

/** Push subscriptions that get billing's notices, each with its newest deliveries. */
export const webhooksQuery = (api: ApiClient, project: string) =>
  queryOptions({
    queryKey: billingKeys.webhooks(project),
    queryFn: async ({ signal }) => {
      const { items } = await api.call(OPERATIONS.listSubscriptions, {
        params: { project },
        query: { limit: 200 },
        signal,
      });
      const own = items.filter(({ filter }) => NOTICE_TYPES.some((type) => filter.types.includes(type)));
      return Promise.all(
        own.map(async (subscription) => {
          const params = { project, subscription: subscription.id };
          const deliveries = await api.call(OPERATIONS.listDeliveries, { params, query: { limit: 5 }, signal });
          return { subscription, deliveries: deliveries.items };
        }),
      );
    },
    refetchInterval: 10_000,
  });

export const adviceQuery = (api: ApiClient, project: string, days: number) =>
  queryOptions({
    queryKey: [...billingKeys.advice(project), days],
    queryFn: ({ signal }) => api.call(OPERATIONS.getBillingAdvice, { params: { project }, query: { days }, signal }),
    refetchInterval: 60_000,
    placeholderData: (before) => before,
  });

export const accountPriceListQuery = (api: ApiClient, project: string) =>
  queryOptions({
    queryKey: billingKeys.accountPriceList(project),
    queryFn: ({ signal }) => api.call(OPERATIONS.getAccountPriceList, { params: { project }, signal }),
  });
