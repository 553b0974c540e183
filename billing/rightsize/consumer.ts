import type { EventBus, Subscription } from '@skyrun/bus';
import { isEvent, PLATFORM_GROUPS } from '@skyrun/contracts';
import { DAY_MS } from '../aggregate/slot.ts';
import type { BillingContext } from '../context.ts';
import type { Job } from '../jobs/job.ts';
import { deleteSamplesBefore, insertSample } from '../store/samples.ts';

/** Advice looks back at most this many days. */
export const SAMPLE_DAYS = 31;

export function subscribeSamples(bus: Pick<EventBus, 'subscribe'>, context: BillingContext): Promise<Subscription> {
  return bus.subscribe({
    ...PLATFORM_GROUPS.billingSamples,
    prefetch: 64,
    async handler(event) {
      if (isEvent(event, 'skyrun.instance.sampled.v1')) await insertSample(context.db.kysely<unknown>(), event.data);
    },
  });
}

export function trimSamplesJob(context: () => BillingContext): Job {
  return {
    name: 'trim-samples',
    everyMs: DAY_MS / 24,
    remembered: false,
    items: () => Promise.resolve(['all']),
    run() {
      const { db, clock } = context();
      return deleteSamplesBefore(db.kysely<unknown>(), clock.now() - SAMPLE_DAYS * DAY_MS);
    },
  };
}
