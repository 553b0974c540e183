import type { EventBus, Subscription } from '@skyrun/bus';
import { type AnyEvent, isEvent, PLATFORM_GROUPS } from '@skyrun/contracts';
import { sqlState } from '@skyrun/postgres';
import type { BillingContext } from './context.ts';
import { createBatcher } from './ingest/batcher.ts';
import type { UsageEvent } from './ingest/check-usage.ts';
import { type IngestResult, ingestBatch } from './ingest/ingest-batch.ts';

/** Rows of a batch, at most. */
const LARGEST = 1_000;
/** Deliveries at once: one batch is written while the next one gathers. */
const PREFETCH = 2 * LARGEST;

/**
 * Usage from the bus, acknowledged when it is committed. Not ordered: usage adds up the same in any order, and so all
 * replicas share the work. Side by side: with a lane per service, a busy service's usage would come in row by row.
 */
export function subscribeUsage(
  bus: Pick<EventBus, 'subscribe'>,
  context: BillingContext,
  onIngested: (result: IngestResult) => void,
): Promise<Subscription> {
  const batcher = createBatcher<UsageEvent>({
    largest: LARGEST,
    async handle(events) {
      const result = await ingestBatch(context, events);
      for (const { project, key, problem, detail } of result.rejected) {
        context.logger.warn({ project, key, problem, detail }, 'usage cannot be billed; it is kept as rejected');
      }
      if (result.late > 0) {
        context.logger.info({ rows: result.late }, 'late usage; it counts for the next period');
      }
      onIngested(result);
    },
    // Classes 22 and 23: a value or a constraint. Everything else is the database's own trouble.
    blamesItem: (error) => /^2[23]/.test(sqlState(error) ?? ''),
  });
  return bus.subscribe({
    ...PLATFORM_GROUPS.billing,
    prefetch: PREFETCH,
    sideBySide: true,
    async handler(event: AnyEvent) {
      if (isEvent(event, 'skyrun.usage.recorded.v1')) await batcher.add(event);
    },
  });
}
