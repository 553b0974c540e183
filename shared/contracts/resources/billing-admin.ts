import { z } from 'zod';
import { currency } from '../money.ts';
import { dnsLabel, timestamp } from '../names.ts';

export const BILLING_JOB_STATES = ['waiting', 'delayed', 'active', 'completed', 'failed'] as const;

/** One piece of background work: a project's closing, a document's rendering, a budget's alerts. */
export const billingJob = z.object({
  id: z.string(),
  name: z.string().describe('what is done, e.g. close-periods'),
  item: z.string().nullable().describe('what it is done to, mostly a project; null for the look for items'),
  state: z.enum(BILLING_JOB_STATES),
  attempts: z.int().describe('how often it was begun'),
  maxAttempts: z.int(),
  error: z.string().nullable().describe('of the last attempt'),
  createdAt: timestamp,
  startedAt: timestamp.nullable(),
  endedAt: timestamp.nullable(),
  /** When it is tried again; null unless it is delayed. */
  nextAt: timestamp.nullable(),
});
export type BillingJob = z.infer<typeof billingJob>;

/** The background work of billing, over all replicas. */
export const billingJobs = z.object({
  runner: z.enum(['queue', 'ticker']).describe('`queue`: shared through Redis; `ticker`: each replica looks itself'),
  kinds: z.array(
    z.object({
      name: z.string(),
      everyMs: z.int(),
      nextAt: timestamp.nullable().describe('of the next look for items'),
    }),
  ),
  counts: z.record(z.enum(BILLING_JOB_STATES), z.int()),
  jobs: z.array(billingJob).describe('newest first'),
});
export type BillingJobs = z.infer<typeof billingJobs>;

export const priceListText = z.strictObject({
  yaml: z
    .string()
    .min(1)
    .max(100_000)
    .describe('one version of a price list, as the files that ship with Skyrun say it'),
});

/** Which price list a project's usage is priced by. */
export const accountPriceList = z.object({
  project: dnsLabel,
  priceList: z.string().describe('name of the list in force now'),
  title: z.string(),
  currency,
  freeTier: z.boolean(),
  changes: z
    .array(z.object({ priceList: z.string(), effectiveFrom: timestamp, createdAt: timestamp }))
    .describe('newest first, those to come included'),
  earliestChange: timestamp.describe('usage before it may be priced already'),
  regions: z.array(z.object({ region: z.string(), priceList: z.string() })).describe('whose prices each list has'),
});
export type AccountPriceList = z.infer<typeof accountPriceList>;

export const accountPriceListChange = z
  .strictObject({
    priceList: z.string().min(1).optional().describe('name of a list, e.g. cloud-run-tier-2'),
    region: z.string().min(1).optional().describe('or the region whose prices it is to have, e.g. europe-west3'),
    effectiveFrom: timestamp.optional().describe('as soon as can be if absent; a period is split there'),
  })
  .refine(({ priceList, region }) => (priceList === undefined) !== (region === undefined), {
    path: ['priceList'],
    message: 'expected either priceList or region',
  });
export type AccountPriceListChange = z.infer<typeof accountPriceListChange>;
