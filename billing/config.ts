import { type ConfigOf, configTypes, defineConfig } from '@skyrun/kit';
import { z } from 'zod';

export const billingConfig = defineConfig('billing', {
  SKYRUN_BILLING_PRICE_LIST: {
    schema: configTypes.text,
    default: 'cloud-run-tier-1',
    doc: 'price list of projects that are billed for the first time from now on, e.g. cloud-run-tier-2',
  },
  SKYRUN_BILLING_FREE_TIER: {
    schema: configTypes.flag,
    default: 'true',
    doc: 'whether projects that are billed for the first time from now on get the price list’s free tier',
  },
  SKYRUN_BILLING_GRACE_MINUTES: {
    schema: configTypes.integer.min(0).max(10_080),
    default: '60',
    doc: 'minutes after the end of a month in which late usage still enters its invoice',
  },
  SKYRUN_SMTP_URL: {
    schema: z
      .string()
      .regex(/^smtps?:\/\//, 'expected smtp://user:password@host:port or smtps://…')
      .optional(),
    doc: 'mail server for budget alerts and invoices, e.g. smtp://user:password@mail.example.com:587; none: no mails',
    secret: true,
  },
  SKYRUN_MAIL_FROM: {
    schema: configTypes.text,
    default: 'Skyrun <skyrun@localhost>',
    doc: 'sender of mails',
  },
  SKYRUN_REDIS_URL: {
    schema: z
      .string()
      .regex(/^rediss?:\/\//, 'expected redis://…')
      .optional(),
    doc: 'Redis for jobs, shared by all replicas; without it every replica looks for what is due itself',
    secret: true,
  },
});
export type BillingConfig = ConfigOf<typeof billingConfig>;
