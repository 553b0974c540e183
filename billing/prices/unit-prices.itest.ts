import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ingestBatch } from '../ingest/ingest-batch.ts';
import { type TestBilling, testBilling } from '../testing/billing-context.ts';
import { usageEvent } from '../testing/usage-events.ts';
import { listUnitPrices } from './unit-prices.ts';

let billing: TestBilling;
beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'));
});
afterAll(() => billing.close());

test('tells the prices in force, and which projects have another list than new ones get', async () => {
  await ingestBatch(billing, [usageEvent({ project: 'near', key: 'a' })]);
  const newAccount = { priceList: 'cloud-run-tier-2', freeTier: false };
  await ingestBatch({ ...billing, newAccount }, [usageEvent({ project: 'far', key: 'b' })]);
  expect(await listUnitPrices(billing)).toMatchObject({
    defaultList: 'cloud-run-tier-1',
    accounts: [{ project: 'far', priceList: 'cloud-run-tier-2' }],
    lists: [
      { name: 'cloud-run-tier-1', request: { cpu: { price: '0.000024' }, requests: { price: '0.40' } } },
      { name: 'cloud-run-tier-2', request: { cpu: { price: '0.0000336' } } },
    ],
  });
});
