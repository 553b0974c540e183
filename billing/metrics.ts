import type { Metrics } from '@skyrun/kit';
import type { IngestResult } from './ingest/ingest-batch.ts';

/** What Prometheus is told. */
export interface BillingMetrics {
  ingested(result: IngestResult): void;
}

export function createBillingMetrics(metrics: Metrics): BillingMetrics {
  const rows = metrics.counter('skyrun_billing_usage_rows_total', 'Usage events by what became of them', ['result']);
  const uncompared = metrics.counter(
    'skyrun_billing_usage_uncompared_rows_total',
    'Usage rows that came after the gateways’ and the runtime’s usage of their time was compared; billed, not compared',
  );
  return {
    ingested(result) {
      rows.inc({ result: 'accepted' }, result.accepted);
      rows.inc({ result: 'duplicate' }, result.duplicates);
      rows.inc({ result: 'rejected' }, result.rejected.length);
      rows.inc({ result: 'late' }, result.late);
      uncompared.inc(result.uncompared);
    },
  };
}
