import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { currency, moneyString } from '../money.ts';
import { dnsLabel, timestamp } from '../names.ts';

/** Events that the people who pay are told of, by mail, and by webhook where a push subscription asks for them. */
export const NOTICE_TYPES = [
  'skyrun.budget.exceeded.v1',
  'skyrun.project.capped.v1',
  'skyrun.project.uncapped.v1',
  'skyrun.invoice.closed.v1',
] as const;

export const billingContactsSpec = z.strictObject({
  emails: z
    .array(z.email('expected an e-mail address such as "billing@example.com"').max(254))
    .max(20)
    .refine(
      (list) => new Set(list.map((email) => email.toLowerCase())).size === list.length,
      'an address is there twice',
    ),
});

/** Who is mailed about a project's budgets and invoices. */
export const billingContacts = billingContactsSpec.extend({
  project: dnsLabel,
  emails: z.array(z.string()),
  mailServer: z.boolean().describe('whether the installation has one to send through (SKYRUN_SMTP_URL)'),
});
export type BillingContacts = z.infer<typeof billingContacts>;

export const billingMail = z.object({
  id: idSchema('mail'),
  project: dnsLabel,
  recipient: z.string(),
  subject: z.string(),
  state: z.enum(['queued', 'sent', 'failed']),
  attempts: z.int(),
  error: z.string().nullable().describe('of the last attempt, as the mail server said it'),
  createdAt: timestamp,
  dueAt: timestamp.nullable().describe('the next attempt; null unless queued'),
  sentAt: timestamp.nullable(),
});
export type BillingMail = z.infer<typeof billingMail>;

const sized = z.object({
  requested: z.number(),
  p50: z.number(),
  p95: z.number(),
  max: z.number(),
  recommended: z.number(),
});

/** What the instances of a service may use beside what they used, and what another size would have cost. */
export const rightSizing = z.object({
  service: z.string(),
  cpuMilli: sized,
  memoryMib: sized,
  windows: z.int().describe('how many measured minutes the figures are from'),
  instances: z.int(),
  verdict: z.enum(['fits', 'shrink', 'grow', 'mixed', 'too_little']),
  reason: z.string().describe('a sentence with the figures'),
  amount: moneyString.describe('cost of the days at the size it has, at list price'),
  recommendedAmount: moneyString.describe('cost of the same time at the recommended size'),
  saving: moneyString.describe('negative where the recommended size costs more'),
});
export type RightSizing = z.infer<typeof rightSizing>;

export const billingAdvice = z.object({
  project: dnsLabel,
  currency,
  from: timestamp,
  until: timestamp,
  rightSizing: z.array(rightSizing),
});
export type BillingAdvice = z.infer<typeof billingAdvice>;
