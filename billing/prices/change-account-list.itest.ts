import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { getCosts } from '../cost/get-costs.ts';
import { ingestBatch } from '../ingest/ingest-batch.ts';
import { getLedger } from '../ledger/check-ledger.ts';
import { closePeriod } from '../period/close-period.ts';
import { type TestBilling, testBilling } from '../testing/billing-context.ts';
import { taxedList } from '../testing/taxed-list.ts';
import { NOON, usageEvent } from '../testing/usage-events.ts';
import { verifyInvoice } from '../verify/verify-invoice.ts';
import { changeAccountPriceList, getAccountPriceList } from './change-account-list.ts';
import { listUnitPrices } from './unit-prices.ts';

let billing: TestBilling;
beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'), { priceList: 'cloud-run-tier-1', freeTier: true });
});
afterAll(() => billing.close());

const iso = (ms: number) => new Date(ms).toISOString();
const TIER_2 = 'cloud-run-tier-2';

describe('the price list of an account', () => {
  test('changes in the middle of a period, which is split there, on every replica', async () => {
    const project = 'moves';
    const busy = (key: string, from: number) =>
      usageEvent({
        project,
        key,
        instance: 1,
        from,
        until: from + 240_000,
        busy: [[from, from + 240_000]],
        requests: 0,
      });
    await ingestBatch(billing, [busy('a', NOON)]);
    const at = billing.clock.now() + 600_000;
    const changed = await changeAccountPriceList(billing, project, { region: 'europe-west3', effectiveFrom: iso(at) });
    expect(changed).toMatchObject({
      priceList: 'cloud-run-tier-1',
      changes: [{ priceList: TIER_2, effectiveFrom: iso(at) }],
    });
    await billing.clock.advance(3_600_000);
    await ingestBatch(billing.replica(), [busy('b', at - 240_000), busy('c', at)]);
    expect(await getAccountPriceList(billing, project)).toMatchObject({
      priceList: TIER_2,
      title: expect.stringMatching(/tier 2/i),
    });

    const { lines } = await getCosts(billing, project);
    const cpu = lines.filter(({ meter }) => meter === 'cpu');
    // 480 s × 0.000024 and 240 s × 0.0000336.
    expect(cpu.map(({ unitPrice, exactAmount }) => [unitPrice, Number(exactAmount)])).toEqual([
      ['0.000024', 0.01152],
      ['0.0000336', 0.008064],
    ]);
    const invoice = await closePeriod(billing, project, null);
    expect(invoice.priceList).toBe(`cloud-run-tier-1@2024-01-01T00:00:00Z, ${TIER_2}@2024-01-01T00:00:00Z`);
    expect(await verifyInvoice(billing, project, invoice.id)).toMatchObject({ exact: true, usageRows: 3 });
    expect(await getLedger(billing, project)).toMatchObject({ balanced: true });
    expect((await listUnitPrices(billing)).accounts).toContainEqual({ project, priceList: TIER_2 });
  });

  test('of a project without usage counts from the beginning of its month', async () => {
    const changed = await changeAccountPriceList(billing, 'fresh', { priceList: TIER_2 });
    expect(changed).toMatchObject({
      priceList: TIER_2,
      changes: [{ priceList: TIER_2, effectiveFrom: '2026-01-01T00:00:00.000Z' }],
    });
    await ingestBatch(billing, [usageEvent({ project: 'fresh', key: 'a' })]);
    expect((await getCosts(billing, 'fresh')).lines[0]?.unitPrice).toBe('0.0000336');
  });

  test('that was planned is taken back by a later plan', async () => {
    const project = 'plans';
    await ingestBatch(billing, [usageEvent({ project, key: 'a' })]);
    const soon = billing.clock.now() + 600_000;
    await changeAccountPriceList(billing, project, { priceList: TIER_2, effectiveFrom: iso(soon + 60_000) });
    const back = await changeAccountPriceList(billing, project, {
      priceList: 'cloud-run-tier-1',
      effectiveFrom: iso(soon),
    });
    expect(back.changes).toEqual([]);
  });

  test('is not changed by many at once into two', async () => {
    const project = 'many';
    await ingestBatch(billing, [usageEvent({ project, key: 'a' })]);
    const effectiveFrom = iso(billing.clock.now() + 600_000);
    const asked = [billing, billing.replica(), billing].map((replica) =>
      changeAccountPriceList(replica, project, { priceList: TIER_2, effectiveFrom }),
    );
    for (const { changes } of await Promise.all(asked)) expect(changes).toHaveLength(1);
  });

  test.each([
    ['an unknown list', { priceList: 'gold' }, '/priceList', /cloud-run-tier-2/],
    ['an unknown region', { region: 'mars-east1' }, '/region', /europe-west3/],
    [
      'a time that usage may be priced by',
      { priceList: TIER_2, effectiveFrom: iso(NOON) },
      '/effectiveFrom',
      /expected a time from/,
    ],
  ])('%s is refused with the field', async (_, asked, field, message) => {
    await ingestBatch(billing, [usageEvent({ project: 'strict', key: 'a' })]);
    await expect(changeAccountPriceList(billing, 'strict', asked)).rejects.toMatchObject({
      code: 'request.invalid',
      errors: [{ field, message: expect.stringMatching(message) }],
    });
  });

  test('keeps its currency', async () => {
    await taxedList(billing, 'euros', { currency: 'EUR' });
    await ingestBatch(billing, [usageEvent({ project: 'dollars', key: 'a' })]);
    await expect(changeAccountPriceList(billing, 'dollars', { priceList: 'euros' })).rejects.toMatchObject({
      errors: [{ field: '/priceList', message: expect.stringContaining('EUR') }],
    });
  });
});
