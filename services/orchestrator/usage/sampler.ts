import type { Logger } from '@skyrun/kit';
import { isMinInstance } from '../reconcile/ending.ts';
import type { World } from '../reconcile/world.ts';
import type { Ledger } from '../store/ledger.ts';
import { lifetimeUsage } from './draft.ts';
import { lastBoundary, USAGE_WINDOW_MS } from './windows.ts';

export interface SamplerOptions {
  readonly world: World;
  readonly ledger: Ledger;
  readonly logger: Logger;
}

/** Usage of one transaction at most. */
const BATCH_WINDOWS = 360;

/**
 * Records usage up to the last boundary at which the engine said that the instance runs: an instance that ended
 * unheard is not charged past its end. The cursor and the events are written together.
 */
export async function sampleUsage({ world, ledger, logger }: SamplerOptions): Promise<void> {
  for (const entry of [...world.entries.values()]) {
    if (entry.holds > 0 || entry.record.usageUntil === null) continue;
    const boundary = lastBoundary(entry.seenRunningAt);
    const until = Math.min(boundary, entry.record.usageUntil + BATCH_WINDOWS * USAGE_WINDOW_MS);
    if (until <= entry.record.usageUntil) continue;
    entry.holds += 1;
    try {
      const update = { ...entry.record, usageUntil: until };
      await ledger.write({ update, events: lifetimeUsage(entry.record, until, isMinInstance({ world }, entry)) });
      entry.record = update;
    } catch (error) {
      logger.warn({ error, instance: entry.record.instanceId }, 'usage could not be recorded; it is not lost');
      return;
    } finally {
      entry.holds -= 1;
    }
  }
}
