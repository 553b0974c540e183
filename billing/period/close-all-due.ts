import { monthStart } from '../aggregate/slot.ts';
import type { BillingContext } from '../context.ts';
import { projectsDue } from '../store/accounts.ts';
import { closeDuePeriods } from './close-period.ts';

/** Ends and closes what the calendar asks for, project by project; one that fails does not hold up the others. */
export async function closeAllDue(context: BillingContext, graceMs: number, signal: AbortSignal): Promise<void> {
  const now = context.clock.now();
  const projects = await projectsDue(context.db.kysely<unknown>(), monthStart(now), now - graceMs);
  for (const project of projects) {
    if (signal.aborted) return;
    try {
      await closeDuePeriods(context, project, graceMs);
    } catch (error) {
      context.logger.error({ project, error }, 'the period could not be closed; it is tried again');
    }
  }
}
