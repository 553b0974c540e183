import { z } from 'zod';
import { role } from '../access.ts';
import { idSchema } from '../ids.ts';
import { moneyString } from '../money.ts';
import { digest, dnsLabel, timestamp } from '../names.ts';
import { apiKeyRole } from '../resources/api-key.ts';
import { budgetAlert, creditNote } from '../resources/billing.ts';
import { domainProof } from '../resources/domain.ts';
import { decision, statusClasses } from '../resources/metrics.ts';
import { instance } from '../resources/service.ts';
import { rolloutDecision, trafficStatus } from '../resources/traffic.ts';
import { flowObserved } from './flow.ts';

const apiKeyChange = z.object({ id: idSchema('apiKey'), project: dnsLabel, name: dnsLabel, role: apiKeyRole });

const serviceRef = z.object({ project: dnsLabel, service: dnsLabel, serviceId: idSchema('service') });
const revisionRef = serviceRef.extend({ revisionId: idSchema('revision'), revisionName: z.string() });

const domainRef = z.object({ project: dnsLabel, domain: z.string(), service: dnsLabel });

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

const spread = z.object({ p50: z.number(), p95: z.number(), max: z.number() });

/** Samples are taken every few seconds while the instance runs; none while it is paused. */
export const instanceSample = revisionRef.extend({
  instanceId: idSchema('instance'),
  windowStart: timestamp,
  windowEnd: timestamp,
  samples: z.int().min(1),
  cpuMilli: spread.describe('thousandths of a CPU'),
  memoryMib: spread,
  cpuLimitMilli: z.int(),
  memoryLimitMib: z.int(),
});
export type InstanceSample = z.infer<typeof instanceSample>;

const instanceBreaker = revisionRef.extend({
  gateway: z.string(),
  instanceId: z.string(),
  reason: z
    .enum(['refused', 'failing'])
    .describe('`refused`: nobody listens; `failing`: it breaks off, or too many 5xx'),
});

const settledInvoice = z.object({
  id: idSchema('invoice'),
  number: z.string(),
  project: dnsLabel,
  amount: moneyString.describe('what was due then'),
  currency: z.string(),
});

const spendingCap = z.object({ project: dnsLabel, budgetId: idSchema('budget'), reason: z.string() });

export interface EventDefinition {
  readonly type: string;
  readonly summary: string;
  readonly data: z.ZodType;
  /** `history`: kept in the event log. `ephemeral`: live feed only, a gap costs nothing. */
  readonly retention: 'history' | 'ephemeral';
  /** How the subject is written. */
  readonly subject: string;
}

const define = <Type extends string, Data extends z.ZodType>(
  type: Type,
  summary: string,
  subject: string,
  data: Data,
  retention: 'history' | 'ephemeral' = 'history',
) => ({ type, summary, subject, data, retention });

/** Every event type. Publishing or consuming one that is not here is an error. */
export const EVENTS = {
  'skyrun.user.created.v1': define(
    'skyrun.user.created.v1',
    'A person signed up',
    'users/{id}',
    z.object({ id: idSchema('user'), email: z.string(), admin: z.boolean() }),
  ),
  'skyrun.project.created.v1': define(
    'skyrun.project.created.v1',
    'A project was created',
    'projects/{project}',
    z.object({ id: idSchema('project'), name: dnsLabel, displayName: z.string(), createdBy: idSchema('user') }),
  ),
  'skyrun.member.added.v1': define(
    'skyrun.member.added.v1',
    'A person joined a project',
    'projects/{project}',
    z.object({ project: dnsLabel, userId: idSchema('user'), role }),
  ),
  'skyrun.member.removed.v1': define(
    'skyrun.member.removed.v1',
    'A person left a project',
    'projects/{project}',
    z.object({ project: dnsLabel, userId: idSchema('user') }),
  ),
  'skyrun.key.created.v1': define(
    'skyrun.key.created.v1',
    'An API key was made',
    'projects/{project}/keys/{key}',
    apiKeyChange,
  ),
  'skyrun.key.rotated.v1': define(
    'skyrun.key.rotated.v1',
    'An API key was exchanged',
    'projects/{project}/keys/{key}',
    apiKeyChange,
  ),
  'skyrun.key.revoked.v1': define(
    'skyrun.key.revoked.v1',
    'An API key was ended',
    'projects/{project}/keys/{key}',
    apiKeyChange,
  ),
  'skyrun.image.imported.v1': define(
    'skyrun.image.imported.v1',
    'An uploaded image is ready to run',
    'images/{project}/{name}',
    z.object({
      id: idSchema('image'),
      project: dnsLabel,
      name: z.string(),
      tag: z.string(),
      digest,
      sizeBytes: z.int(),
    }),
  ),
  'skyrun.image.deleted.v1': define(
    'skyrun.image.deleted.v1',
    'An image was deleted',
    'images/{project}/{name}',
    z.object({ id: idSchema('image'), project: dnsLabel, name: z.string(), tag: z.string(), digest }),
  ),
  'skyrun.service.created.v1': define(
    'skyrun.service.created.v1',
    'A service was created',
    'services/{project}/{service}',
    serviceRef.extend({ generation: z.int(), url: z.string() }),
  ),
  'skyrun.service.updated.v1': define(
    'skyrun.service.updated.v1',
    'A service was changed',
    'services/{project}/{service}',
    serviceRef.extend({ generation: z.int(), url: z.string() }),
  ),
  'skyrun.service.deleted.v1': define(
    'skyrun.service.deleted.v1',
    'A service was deleted',
    'services/{project}/{service}',
    serviceRef,
  ),
  'skyrun.revision.created.v1': define(
    'skyrun.revision.created.v1',
    'A new revision should run',
    'services/{project}/{service}',
    revisionRef.extend({ number: z.int(), imageDigest: digest }),
  ),
  'skyrun.revision.ready.v1': define(
    'skyrun.revision.ready.v1',
    'A revision answered its startup probe',
    'revisions/{revisionId}',
    revisionRef,
  ),
  'skyrun.revision.failed.v1': define(
    'skyrun.revision.failed.v1',
    'A revision did not become ready',
    'revisions/{revisionId}',
    revisionRef.extend({ reason: z.string(), message: z.string() }),
  ),
  'skyrun.revision.pruned.v1': define(
    'skyrun.revision.pruned.v1',
    'An old revision that nothing refers to was forgotten',
    'services/{project}/{service}',
    revisionRef.extend({ reason: z.string() }),
  ),
  'skyrun.secret.changed.v1': define(
    'skyrun.secret.changed.v1',
    'A secret was created or got a new version; its value is in no event',
    'secrets/{project}/{secret}',
    z.object({ id: idSchema('secret'), project: dnsLabel, name: dnsLabel, version: z.int() }),
  ),
  'skyrun.secret.deleted.v1': define(
    'skyrun.secret.deleted.v1',
    'A secret was deleted with all its versions',
    'secrets/{project}/{secret}',
    z.object({ id: idSchema('secret'), project: dnsLabel, name: dnsLabel }),
  ),
  'skyrun.domain.added.v1': define(
    'skyrun.domain.added.v1',
    'A project wants a host of its own to lead to a service, and has to prove that it may',
    'domains/{project}/{domain}',
    domainRef,
  ),
  'skyrun.domain.verified.v1': define(
    'skyrun.domain.verified.v1',
    'A domain was proved; it leads to its service',
    'domains/{project}/{domain}',
    domainRef.extend({ proof: domainProof }),
  ),
  'skyrun.domain.lost.v1': define(
    'skyrun.domain.lost.v1',
    'A domain that was proved is not any more, and leads nowhere',
    'domains/{project}/{domain}',
    domainRef.extend({ message: z.string() }),
  ),
  'skyrun.domain.removed.v1': define(
    'skyrun.domain.removed.v1',
    'A domain was taken from its service, or went with it',
    'domains/{project}/{domain}',
    domainRef,
  ),
  'skyrun.traffic.moved.v1': define(
    'skyrun.traffic.moved.v1',
    'Traffic of a service goes to other revisions, or in other shares',
    'services/{project}/{service}',
    serviceRef.extend({
      before: z.array(trafficStatus),
      after: z.array(trafficStatus),
      sentence: z.string(),
    }),
  ),
  'skyrun.rollout.decided.v1': define(
    'skyrun.rollout.decided.v1',
    'A rollout started, moved on, ended, or took itself back',
    'services/{project}/{service}',
    serviceRef.extend({
      rolloutId: idSchema('rollout'),
      fromRevision: z.string(),
      toRevision: z.string(),
      decision: rolloutDecision,
    }),
  ),
  'skyrun.instance.started.v1': define(
    'skyrun.instance.started.v1',
    'A container was started',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.ready.v1': define(
    'skyrun.instance.ready.v1',
    'An instance takes requests',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.answered.v1': define(
    'skyrun.instance.answered.v1',
    'The first request that waited for an instance’s start got its first byte: all phases of the start are known',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.draining.v1': define(
    'skyrun.instance.draining.v1',
    'An instance takes no new requests',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.stopped.v1': define(
    'skyrun.instance.stopped.v1',
    'An instance ended as intended',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.failed.v1': define(
    'skyrun.instance.failed.v1',
    'An instance ended or never started, not as intended',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.ejected.v1': define(
    'skyrun.instance.ejected.v1',
    'A gateway sends an instance no more requests for a while, because it failed too often',
    'gateways/{gateway}/instances/{instanceId}',
    instanceBreaker,
  ),
  'skyrun.instance.admitted.v1': define(
    'skyrun.instance.admitted.v1',
    'A gateway sends an instance requests again',
    'gateways/{gateway}/instances/{instanceId}',
    instanceBreaker,
  ),
  'skyrun.instance.unready.v1': define(
    'skyrun.instance.unready.v1',
    'An instance’s readiness probe fails; it gets no requests until it is ready again',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.paused.v1': define(
    'skyrun.instance.paused.v1',
    'An instance that is not needed is frozen, or about to be; it keeps its memory and uses no CPU',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.resumed.v1': define(
    'skyrun.instance.resumed.v1',
    'A paused instance takes requests again',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.parked.v1': define(
    'skyrun.instance.parked.v1',
    'An idle instance’s container is stopped and kept; it uses neither CPU nor memory',
    'instances/{id}',
    instance,
  ),
  'skyrun.instance.sampled.v1': define(
    'skyrun.instance.sampled.v1',
    'What an instance really used over a window of about a minute, beside what it may use',
    'instances/{instanceId}',
    instanceSample,
    'ephemeral',
  ),
  'skyrun.scaling.decided.v1': define(
    'skyrun.scaling.decided.v1',
    'The autoscaler changed a revision’s wanted instances',
    'revisions/{revisionId}',
    revisionRef.extend({ decision }),
  ),
  'skyrun.traffic.observed.v1': define(
    'skyrun.traffic.observed.v1',
    'Traffic of one service over the last second',
    'services/{project}/{service}',
    serviceRef.extend({
      windowMs: z.int(),
      requestsPerSecond: z.number(),
      concurrency: z.number(),
      queued: z.number(),
      statusClasses,
      p50Ms: z.number().nullable(),
      p95Ms: z.number().nullable(),
      p99Ms: z.number().nullable(),
      instances: z.object({ ready: z.int(), starting: z.int() }),
    }),
    'ephemeral',
  ),
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
  'skyrun.schema.registered.v1': define(
    'skyrun.schema.registered.v1',
    'A team registered a version of the schema of one of its event types',
    'schemas/{type}',
    z.object({ project: dnsLabel, type: z.string(), version: z.int(), compatibility: z.string() }),
  ),
  'skyrun.letters.grown.v1': define(
    'skyrun.letters.grown.v1',
    'A consumer group has more dead letters than when it was looked at before',
    'groups/{group}',
    z.object({ group: z.string(), letters: z.int(), before: z.int() }),
  ),
  'skyrun.flow.observed.v1': define(
    'skyrun.flow.observed.v1',
    'What one consumer of a group has handled since it said so before; also says that the group is there',
    'groups/{group}',
    flowObserved,
    'ephemeral',
  ),
  'skyrun.subscription.tested.v1': define(
    'skyrun.subscription.tested.v1',
    'Somebody pressed the test button of a push subscription; sent to its destination only',
    'subscriptions/{project}/{subscription}',
    z.object({ id: idSchema('subscription'), project: dnsLabel, name: dnsLabel }),
    'ephemeral',
  ),
} as const;

export type EventType = keyof typeof EVENTS;
export type EventData<Type extends EventType> = z.infer<(typeof EVENTS)[Type]['data']>;

export const EVENT_TYPES = Object.keys(EVENTS) as EventType[];

export function isEventType(type: string): type is EventType {
  return Object.hasOwn(EVENTS, type);
}
