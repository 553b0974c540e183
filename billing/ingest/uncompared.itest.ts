import { createMetrics } from '@skyrun/kit';
import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SETTLED_MS } from '../compare/settled.ts';
import { createBillingMetrics } from '../metrics.ts';
import { type TestBilling, testBilling } from '../testing/billing-context.ts';
import { usageEvent } from '../testing/usage-events.ts';
import { ingestBatch } from './ingest-batch.ts';

let billing: TestBilling;
beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'));
});
afterAll(() => billing.close());

test('usage of a time that may have been compared already is billed, and counted as not compared, once', async () => {
  const metrics = createMetrics();
  const told = createBillingMetrics(metrics);
  const name = 'skyrun_billing_usage_uncompared_rows_total';
  const value = async () => (await metrics.registry.getSingleMetric(name)?.get())?.values[0]?.value;
  const from = billing.clock.now() - SETTLED_MS;
  const batches = [
    { events: [usageEvent({ key: 'in-time', from })], counted: 0 },
    { events: [usageEvent({ key: 'behind', from: from - 1 }), usageEvent({ key: 'new', from: from + 1 })], counted: 1 },
    // Delivered again it is no new row.
    { events: [usageEvent({ key: 'behind', from: from - 1 })], counted: 1 },
  ];
  for (const { events, counted } of batches) {
    told.ingested(await ingestBatch(billing, events));
    expect(await value()).toBe(counted);
  }
  const { rows } = await billing.db.query<{ key: string }>(`select key from usage order by key`);
  expect(rows.map(({ key }) => key)).toEqual(['behind', 'in-time', 'new']);
});
