import { placeAll } from './accrue.ts';
import { addTotal, type InstanceTotal, measure } from './measure.ts';
import type { PeriodBounds } from './slot.ts';
import type { StoredUsageRow } from './usage-row.ts';

/**
 * Measures any number of rows in little memory. They must come sorted by instance, then by window start: once a row
 * starts where all before it have ended, those before are measured and forgotten, as nothing later can overlap them.
 */
export async function measureSorted(
  pages: AsyncIterable<readonly StoredUsageRow[]>,
  periods: readonly PeriodBounds[],
): Promise<InstanceTotal[]> {
  const totals = new Map<string, InstanceTotal>();
  let cluster: StoredUsageRow[] = [];
  let clusterEnd = Number.NEGATIVE_INFINITY;
  const flush = () => {
    for (const total of measure(placeAll(cluster, periods))) addTotal(totals, total);
    cluster = [];
    clusterEnd = Number.NEGATIVE_INFINITY;
  };
  let instanceId: string | undefined;
  for await (const page of pages) {
    for (const row of page) {
      if (row.instanceId !== instanceId || row.windowStart >= clusterEnd) flush();
      instanceId = row.instanceId;
      cluster.push(row);
      clusterEnd = Math.max(clusterEnd, row.windowEnd);
    }
  }
  flush();
  return [...totals.values()];
}
