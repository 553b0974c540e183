import type { BILLING_JOB_STATES, BillingJob, BillingJobs } from '@skyrun/contracts';

/**
 * Work that comes by itself. A job looks for items (projects, mostly) at its interval, and each is done on its own: one
 * that fails is tried again and does not hold up the others. Doing an item twice, or by two replicas at once, does no
 * harm: the use cases see to that in the database.
 */
export interface Job {
  readonly name: string;
  readonly everyMs: number;
  /** Whether what was done is worth looking at afterwards; what failed always is. */
  readonly remembered: boolean;
  items(): Promise<readonly string[]>;
  run(item: string, signal: AbortSignal): Promise<void>;
}

export type JobState = (typeof BILLING_JOB_STATES)[number];

export interface JobRunner {
  start(): void;
  /** Resolves when the items in work are done. May be called before start, and twice. */
  stop(): Promise<void>;
  /** Throws Problem `platform.unavailable` while the queue cannot be asked. */
  show(wanted: { readonly state?: JobState | undefined; readonly limit: number }): Promise<BillingJobs>;
  /** Throws Problem `resource.not_found`, or `resource.conflict` for a job that did not fail. */
  retry(id: string): Promise<BillingJob>;
}
