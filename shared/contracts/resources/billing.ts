import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { currency, moneyString } from '../money.ts';
import { dnsLabel, timestamp } from '../names.ts';
import { meter } from './meter.ts';

export const costLine = z.object({
  meter,
  service: z.string(),
  description: z.string(),
  quantity: z.string().describe('an integer in `unit`, as a string because it may exceed 2^53'),
  unit: z.string(),
  unitPrice: moneyString.describe('price of one priced unit as the price list names it, e.g. per vCPU-second'),
  pricedUnit: z.string(),
  amount: moneyString,
  exactAmount: moneyString.optional().describe('before rounding; given in live cost'),
});
export type CostLine = z.infer<typeof costLine>;

/** A tax on what is left after all credits; exact, rounded with the total. */
const taxLine = z.object({
  name: z.string(),
  percent: z.string().describe('e.g. 19 or 7.7'),
  amount: moneyString,
});

/** Live cost of the open period: the same functions as the invoice's, over the usage so far. */
export const costReport = z.object({
  project: dnsLabel,
  currency,
  periodStart: timestamp,
  /** End of the newest usage that is counted. */
  usageUntil: timestamp.nullable(),
  computedAt: timestamp,
  priceList: z.string(),
  services: z.array(
    z.object({ service: z.string(), amount: moneyString, exactAmount: moneyString, requests: z.string() }),
  ),
  lines: z.array(costLine),
  credits: z.array(z.object({ description: z.string(), amount: moneyString })),
  taxes: z.array(taxLine).optional(),
  subtotal: moneyString,
  exactSubtotal: moneyString.optional().describe('cost before credits and rounding'),
  total: moneyString.describe('rounded to the minor unit, as an invoice of this moment would be'),
  exactTotal: moneyString.describe('before rounding'),
});
export type CostReport = z.infer<typeof costReport>;

export const invoice = z.object({
  id: idSchema('invoice'),
  number: z.string(),
  project: dnsLabel,
  state: z.enum(['draft', 'open', 'paid', 'void']),
  currency,
  periodStart: timestamp,
  periodEnd: timestamp,
  priceList: z.string(),
  lines: z.array(costLine.extend({ usageRows: z.int().describe('how many usage rows the line sums up') })),
  credits: z.array(z.object({ description: z.string(), amount: moneyString })),
  taxes: z.array(taxLine).optional().describe('subtotal + credits + taxes = total, to the last digit'),
  subtotal: moneyString,
  total: moneyString,
  /** Total minus credit notes while open; zero once it is paid or void. */
  due: moneyString.optional(),
  createdAt: timestamp,
  settledAt: timestamp.nullable().optional().describe('when it was paid or declared void'),
  paymentReference: z.string().optional().describe('what the payment is known by where it came in; of a paid invoice'),
});
export type Invoice = z.infer<typeof invoice>;

/** An invoice against the bill that its usage rows make when they are computed again. */
export const invoiceVerification = z.object({
  invoiceId: idSchema('invoice'),
  number: z.string(),
  exact: z.boolean(),
  /** The first difference; null when exact. */
  difference: z
    .object({ field: z.string(), invoice: z.string(), usage: z.string() })
    .nullable()
    .describe('where, what the invoice says, and what the usage says'),
  usageRows: z.int(),
  verifiedAt: timestamp,
});
export type InvoiceVerification = z.infer<typeof invoiceVerification>;

/** A document that takes back a part of a finalized invoice, which itself never changes. */
export const creditNote = z.object({
  id: idSchema('creditNote'),
  number: z.string(),
  project: dnsLabel,
  invoiceId: idSchema('invoice'),
  invoiceNumber: z.string(),
  reason: z.string(),
  amount: moneyString.describe('positive'),
  tax: moneyString.optional().describe('the part of the amount that is tax; absent in events from before it was told'),
  currency,
  refundable: z.boolean().describe('the invoice was paid by then, so the amount is owed back'),
  createdAt: timestamp,
});
export type CreditNote = z.infer<typeof creditNote>;

export const LEDGER_ACCOUNTS = ['unbilled', 'receivable', 'cash', 'revenue', 'tax', 'refundable'] as const;
export const ledgerAccount = z.enum(LEDGER_ACCOUNTS);
export type LedgerAccount = z.infer<typeof ledgerAccount>;

/** An amount that went from the account `credit` to the account `debit`. */
export const ledgerEntry = z.object({
  seq: z.int(),
  kind: z.enum(['accrued', 'taxed', 'invoiced', 'paid', 'credited', 'voided', 'untaxed']),
  document: z.string().nullable().describe('id of the invoice or credit note; null for what is accrued'),
  debit: ledgerAccount,
  credit: ledgerAccount,
  amount: moneyString.describe('never negative'),
  at: timestamp,
});
export type LedgerEntry = z.infer<typeof ledgerEntry>;

/** Balances of a project's ledger (debits − credits; they sum to zero), checked against its documents. */
export const ledgerReport = z.object({
  project: dnsLabel,
  currency,
  balances: z.array(z.object({ account: ledgerAccount, balance: moneyString })),
  balanced: z.boolean(),
  differences: z.array(
    z.object({
      what: z.string().describe('an account, or `accrued:<period>`'),
      ledger: moneyString,
      documents: moneyString.describe('what the invoices and credit notes say'),
    }),
  ),
  checkedAt: timestamp,
});
export type LedgerReport = z.infer<typeof ledgerReport>;

/** Where the calendar month (UTC) will end at the pace of its days so far. */
export const costForecast = z.object({
  spent: moneyString.describe('of this month so far, net of the free tier, unrounded'),
  expected: moneyString,
  low: moneyString.describe('end of a band that holds about 95 % if days differ as they did so far'),
  high: moneyString,
  /** How many whole days the pace is taken from; with none it is that of the day so far. */
  wholeDays: z.int(),
  monthEnd: timestamp,
});
export type CostForecast = z.infer<typeof costForecast>;

export const budgetSpec = z.strictObject({
  name: z.string().min(1).max(100),
  amount: moneyString.describe('per calendar month (UTC), in the currency of the price list'),
  thresholds: z
    .array(z.strictObject({ percent: z.int().min(1).max(1000), basis: z.enum(['actual', 'forecast']) }))
    .max(20)
    .describe('each alerts once a month'),
  hardCap: z.boolean().default(false).describe('at 100 % of actual cost, ask the platform to pause the project'),
});
export type BudgetSpec = z.infer<typeof budgetSpec>;

export const budget = budgetSpec.extend({
  id: idSchema('budget'),
  project: dnsLabel,
  createdAt: timestamp,
  hardCap: z.boolean(),
  currency,
  /** This month's figures as of now. */
  forecast: costForecast,
  capReached: z.boolean().describe('the spending cap of the project is reached by this budget'),
});
export type Budget = z.infer<typeof budget>;

export const budgetAlert = z.object({
  budgetId: idSchema('budget'),
  name: z.string(),
  project: dnsLabel,
  month: z.string().describe('e.g. 2026-01'),
  basis: z.enum(['actual', 'forecast']),
  percent: z.int(),
  amount: moneyString,
  spent: moneyString,
  forecast: moneyString,
  currency,
  at: timestamp,
});
export type BudgetAlert = z.infer<typeof budgetAlert>;

export const COST_GROUPS = ['service', 'revision', 'instance', 'day'] as const;

const costFigures = z.object({
  amount: moneyString.describe('at list price, before the free tier, unrounded'),
  requests: z.string(),
  per1000Requests: moneyString.nullable(),
  idleAmount: moneyString.describe('the part for time without a request'),
  idleShare: z.number().nullable().describe('idleAmount ÷ amount'),
});

/** Cost of whole days (UTC) by what it came from. */
export const costAnalysis = z.object({
  project: dnsLabel,
  currency,
  from: timestamp,
  until: timestamp,
  groupBy: z.enum(COST_GROUPS),
  groups: z.array(costFigures.extend({ key: z.string(), service: z.string().nullable() })),
  total: costFigures,
  /** What the same usage would have cost in the other billing mode; only where life times were measured. */
  modes: z.array(
    z.object({
      service: z.string(),
      mode: z.enum(['request', 'instance']),
      amount: moneyString,
      otherMode: z.enum(['request', 'instance']),
      otherAmount: moneyString,
      saving: moneyString.describe('positive where the other mode is cheaper'),
    }),
  ),
  forecast: costForecast,
});
export type CostAnalysis = z.infer<typeof costAnalysis>;
