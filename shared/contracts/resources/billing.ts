import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { currency, moneyString } from '../money.ts';
import { dnsLabel, timestamp } from '../names.ts';

/** What is priced. vCPU and memory quantities are exact integers; see `unit`. */
export const meter = z.enum(['cpu', 'memory', 'cpu_idle', 'memory_idle', 'requests', 'egress']);
export type Meter = z.infer<typeof meter>;

/** Units of the quantities: milli-vCPU × ms, MiB × ms, requests, bytes. */
export const METER_UNITS: Record<Meter, string> = {
  cpu: 'mvcpu_ms',
  memory: 'mib_ms',
  cpu_idle: 'mvcpu_ms',
  memory_idle: 'mib_ms',
  requests: 'requests',
  egress: 'bytes',
};

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
  subtotal: moneyString,
  total: moneyString,
  /** Total minus credit notes while open; zero once it is paid or void. */
  due: moneyString.optional(),
  createdAt: timestamp,
  settledAt: timestamp.nullable().optional().describe('when it was paid or declared void'),
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
  currency,
  refundable: z.boolean().describe('the invoice was paid by then, so the amount is owed back'),
  createdAt: timestamp,
});
export type CreditNote = z.infer<typeof creditNote>;

export const LEDGER_ACCOUNTS = ['unbilled', 'receivable', 'cash', 'revenue', 'refundable'] as const;
export const ledgerAccount = z.enum(LEDGER_ACCOUNTS);
export type LedgerAccount = z.infer<typeof ledgerAccount>;

/** An amount that went from the account `credit` to the account `debit`. */
export const ledgerEntry = z.object({
  seq: z.int(),
  kind: z.enum(['accrued', 'invoiced', 'paid', 'credited', 'voided']),
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
