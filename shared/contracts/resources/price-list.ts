import { z } from 'zod';
import { currency, moneyString } from '../money.ts';
import { dnsLabel, timestamp } from '../names.ts';
import { meter } from './meter.ts';

const unitPrice = z.object({ price: moneyString, per: z.string() });

/** One dated version of a price list; usage is priced by the version in force when its window starts. */
export const priceList = z.object({
  id: z.string(),
  name: z.string(),
  title: z.string(),
  effectiveFrom: timestamp,
  currency,
  request: z.object({
    cpu: unitPrice,
    memory: unitPrice,
    cpuIdle: unitPrice,
    memoryIdle: unitPrice,
    requests: unitPrice,
  }),
  instance: z.object({
    cpu: unitPrice,
    memory: unitPrice,
    minimumSeconds: z.int(),
  }),
  paused: z.object({ cpu: unitPrice, memory: unitPrice }).optional(),
  egress: z.array(z.object({ upToGib: z.int().nullable(), price: moneyString })),
  freeTier: z.array(
    unitPrice.extend({ mode: z.enum(['request', 'instance']), meter, quantity: z.int().describe('per month') }),
  ),
  discounts: z.array(z.object({ name: z.string(), percent: z.string() })),
  taxes: z.array(z.object({ name: z.string(), percent: z.string() })).optional(),
});
export type PublicPriceList = z.infer<typeof priceList>;

/** The prices in force now, for gateways that tell callers what a request cost. */
export const unitPrices = z.object({
  defaultList: z.string().describe('name of the list of projects that are not in `accounts`'),
  accounts: z.array(z.object({ project: dnsLabel, priceList: z.string() })).describe('those with another list'),
  lists: z.array(priceList),
});
export type UnitPrices = z.infer<typeof unitPrices>;
