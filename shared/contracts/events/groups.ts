import { EVENT_TYPES, EVENTS } from './catalogue.ts';

/** They tell how an instance did, and nothing about its state. */
const MEASURED: ReadonlySet<string> = new Set(['skyrun.instance.sampled.v1', 'skyrun.instance.answered.v1']);

/**
 * The consumer groups of the platform's own services. A group gets what is published once it exists, so every process
 * declares all of them before it publishes: whoever starts first may not speak into the void.
 */
export const PLATFORM_GROUPS = {
  /** The event log. */
  events: {
    group: 'events',
    types: [...EVENT_TYPES.filter((type) => EVENTS[type].retention === 'history'), 'team.*'],
  },
  /** Order does not matter to sums, so replicas share the work. */
  billing: { group: 'billing', types: ['skyrun.usage.recorded.v1'], ordered: false },
  /** Mails to a project's billing contacts. */
  billingNotices: {
    group: 'billing-notices',
    types: [
      'skyrun.budget.exceeded.v1',
      'skyrun.project.capped.v1',
      'skyrun.project.uncapped.v1',
      'skyrun.invoice.closed.v1',
    ],
    ordered: false,
  },
  /** What instances really used, for right-sizing. */
  billingSamples: { group: 'billing-samples', types: ['skyrun.instance.sampled.v1'], ordered: false },
  registry: {
    group: 'registry',
    types: [
      'skyrun.revision.ready.v1',
      'skyrun.revision.failed.v1',
      ...EVENT_TYPES.filter((type) => type.startsWith('skyrun.instance.') && !MEASURED.has(type)),
      'skyrun.project.capped.v1',
      'skyrun.project.uncapped.v1',
    ],
  },
} as const;
