import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { moneyString } from '../money.ts';
import { dnsLabel, timestamp } from '../names.ts';
import { budgetAlert, creditNote } from '../resources/billing.ts';
import { statusClasses } from '../resources/metrics.ts';
import { define } from './define.ts';
import { revisionRef } from './references.ts';

/** A half-open span of Unix milliseconds, `[start, end)`. */
export const busySpan = z.tuple([z.int(), z.int()]);

/**
 * Usage of one revision on one instance over one window. `key` is unique for ever: billing counts a key once,
 * however often it is delivered. Two kinds:
 * - `requests`, from a gateway's meter: requests, bytes and busy spans (the union of overlapping requests);
 * - `lifetime`, from the orchestrator's sampler: the time the instance existed, whether busy or not.
 */
export const usageRecorded = revisionRef.extend({
  key: z.string().min(1).max(200),
  kind: z.enum(['requests', 'lifetime']),
  instanceId: z.string().describe('empty for requests that no instance answered'),
  windowStart: timestamp,
  windowEnd: timestamp,
  billingMode: z.enum(['request', 'instance']),
  cpuMilli: z.int(),
  memoryMib: z.int(),
  requests: z.int(),
  bytesIn: z.int(),
  bytesOut: z.int(),
  /**
   * Merged, ascending, non-overlapping; clipped to the window. Request-based, a run of busy time ends with a full tick of
   * `BILLED_TICK_MS` from its start. For `lifetime` the time the instance ran.
   */
  busy: z.array(busySpan).max(1000),
  /** Sum of `busy`. */
  busyMs: z.int(),
  statusClasses,
  /** For `lifetime`: whether the instance is one that `minScale` keeps (billed as idle while not busy). */
  minInstance: z.boolean().default(false),
  state: z
    .enum(['starting', 'running', 'paused', 'stopping'])
    .default('running')
    .describe('for `lifetime`: what the instance did; a window ends where it changes'),
});
export type UsageRecorded = z.infer<typeof usageRecorded>;

const settledInvoice = z.object({
  id: idSchema('invoice'),
  number: z.string(),
  project: dnsLabel,
  amount: moneyString.describe('what was due then'),
  currency: z.string(),
});

const spendingCap = z.object({ project: dnsLabel, budgetId: idSchema('budget'), reason: z.string() });

/** Usage, cost, invoices and budgets. */
export const BILLING_EVENTS = {
  'skyrun.usage.recorded.v1': define(
    'skyrun.usage.recorded.v1',
    'Usage of one instance over one window',
    'services/{project}/{service}',
    usageRecorded,
  ),
  'skyrun.usage.lost.v1': define(
    'skyrun.usage.lost.v1',
    'A gateway ended without writing its last window',
    'gateways/{gateway}',
    z.object({ gateway: z.string(), from: timestamp, until: timestamp }),
  ),
  'skyrun.usage.differed.v1': define(
    'skyrun.usage.differed.v1',
    'Gateways and the runtime measured an instance differently; what gateways saw is billed',
    'services/{project}/{service}',
    z.object({
      project: dnsLabel,
      service: dnsLabel,
      revisionName: z.string(),
      instanceId: z.string(),
      from: timestamp,
      until: timestamp,
      what: z.enum(['busy_outside_lifetime', 'busy_while_paused']),
      gatewayMs: z.int().describe('busy, as gateways say'),
      runtimeMs: z.int().describe('alive and not paused, as the runtime says'),
      differenceMs: z.int(),
    }),
  ),
  'skyrun.cost.updated.v1': define(
    'skyrun.cost.updated.v1',
    'Live cost of a project changed',
    'projects/{project}',
    z.object({
      project: dnsLabel,
      currency: z.string(),
      exactTotal: moneyString,
      services: z.array(z.object({ service: z.string(), exactAmount: moneyString })),
    }),
    'ephemeral',
  ),
  'skyrun.invoice.closed.v1': define(
    'skyrun.invoice.closed.v1',
    'A period was closed into an invoice',
    'projects/{project}',
    z.object({
      id: idSchema('invoice'),
      number: z.string(),
      project: dnsLabel,
      total: moneyString,
      currency: z.string(),
      periodStart: timestamp,
      periodEnd: timestamp,
    }),
  ),
  'skyrun.invoice.paid.v1': define(
    'skyrun.invoice.paid.v1',
    'An invoice was paid',
    'projects/{project}',
    settledInvoice,
  ),
  'skyrun.invoice.voided.v1': define(
    'skyrun.invoice.voided.v1',
    'An invoice was declared void; nothing is due on it any more',
    'projects/{project}',
    settledInvoice,
  ),
  'skyrun.invoice.credited.v1': define(
    'skyrun.invoice.credited.v1',
    'A credit note took back a part of an invoice',
    'projects/{project}',
    creditNote,
  ),
  'skyrun.budget.exceeded.v1': define(
    'skyrun.budget.exceeded.v1',
    'A project’s cost, or its forecast, crossed a threshold of a budget',
    'projects/{project}',
    budgetAlert,
  ),
  'skyrun.project.capped.v1': define(
    'skyrun.project.capped.v1',
    'The cost of a project reached a hard cap: its services should be paused',
    'projects/{project}',
    spendingCap,
  ),
  'skyrun.project.uncapped.v1': define(
    'skyrun.project.uncapped.v1',
    'A hard cap does not hold any more: a new month, a raise, or the budget is gone',
    'projects/{project}',
    spendingCap,
  ),
} as const;
