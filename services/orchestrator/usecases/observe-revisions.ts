import { latencyQuantile, type RevisionObservation } from '@skyrun/contracts';
import type { MetricRow } from '../store/metrics-store.ts';
import { addTally, emptyTally } from '../traffic/tally.ts';

/** Each revision's steps added up, for whoever compares two of them. */
export function observeRevisions(
  rows: readonly Pick<MetricRow, 'revisionId' | 'tally'>[],
): (RevisionObservation & { readonly revisionId: string })[] {
  const sums = new Map<string, ReturnType<typeof emptyTally>>();
  for (const { revisionId, tally } of rows) {
    const sum = sums.get(revisionId) ?? emptyTally();
    addTally(sum, tally);
    sums.set(revisionId, sum);
  }
  return [...sums].map(([revisionId, { requests, statusClasses, latencyBuckets }]) => ({
    revisionId,
    requests,
    errors: statusClasses['5xx'],
    p95Ms: latencyQuantile(latencyBuckets, 0.95),
  }));
}
