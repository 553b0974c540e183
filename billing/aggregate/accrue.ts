import { type InstanceTotal, measure, totalsDifference } from './measure.ts';
import { type PeriodBounds, slotOf } from './slot.ts';
import type { StoredUsageRow } from './usage-row.ts';

/**
 * How the totals of one project change when `fresh` rows join. `neighbours` must hold every earlier row whose window
 * overlaps a fresh one's on the same instance; others cannot change the difference.
 */
export function accrue(
  neighbours: readonly StoredUsageRow[],
  fresh: readonly StoredUsageRow[],
  periods: readonly PeriodBounds[],
): InstanceTotal[] {
  return totalsDifference(
    measure(placeAll(neighbours, periods)),
    measure(placeAll([...neighbours, ...fresh], periods)),
  );
}

/** How the totals change when the same rows are placed into other periods. */
export function replace(
  rows: readonly StoredUsageRow[],
  before: readonly PeriodBounds[],
  after: readonly PeriodBounds[],
): InstanceTotal[] {
  return totalsDifference(measure(placeAll(rows, before)), measure(placeAll(rows, after)));
}

export function placeAll(rows: readonly StoredUsageRow[], periods: readonly PeriodBounds[]) {
  return rows.map((row) => ({ ...row, slot: slotOf(row, periods) }));
}
