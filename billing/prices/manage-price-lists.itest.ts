import { readFile } from 'node:fs/promises';
import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { getCosts } from '../cost/get-costs.ts';
import { ingestBatch } from '../ingest/ingest-batch.ts';
import { closePeriod } from '../period/close-period.ts';
import { keepPriceLists } from '../store/price-lists.ts';
import { type TestBilling, testBilling } from '../testing/billing-context.ts';
import { usageEvent } from '../testing/usage-events.ts';
import { verifyInvoice } from '../verify/verify-invoice.ts';
import { PRICE_LISTS, readPriceLists } from './load-price-lists.ts';
import { createPriceListVersion, priceListYaml, validatePriceList } from './manage-price-lists.ts';

let billing: TestBilling;
beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'));
});
afterAll(() => billing.close());

const shipped: Record<string, unknown> = parse(await readFile(new URL('cloud-run-tier-1.yaml', PRICE_LISTS), 'utf8'));
const yamlOf = (change: Record<string, unknown>) => stringify({ ...shipped, ...change });
const soon = (minutes: number) => new Date(billing.clock.now() + minutes * 60_000).toISOString();

test.each([
  ['no YAML', 'a: [', '/yaml', /./],
  ['a negative price', yamlOf({ instance: { cpu: { price: '-1', per: 'vcpu_second' } } }), '/instance/cpu/price', /./],
  ['an unknown field', yamlOf({ rebate: 1 }), '/', /rebate/],
  [
    'a version that usage may be priced before',
    yamlOf({ effectiveFrom: '2026-01-15T13:01:00Z' }),
    '/effectiveFrom',
    /after/,
  ],
  [
    'another currency',
    yamlOf({ effectiveFrom: '2027-01-01T00:00:00Z', currency: 'EUR' }),
    '/currency',
    /keeps its currency/,
  ],
])('%s is refused with the field', async (_, yaml, field, message) => {
  const checked = await validatePriceList(billing, yaml);
  expect(checked).toMatchObject({ valid: false, priceList: null });
  expect(checked.errors[0]).toMatchObject({ field, message: expect.stringMatching(message) });
  await expect(createPriceListVersion(billing, yaml)).rejects.toMatchObject({ code: 'request.invalid' });
});

test('a new version splits the period where it begins, on replicas that did not hear of it too', async () => {
  const effectiveFrom = soon(30);
  const taxes = [{ name: 'VAT', percent: '19' }];
  const request = Object.assign({}, shipped['request'], { requests: { price: '1.00', per: 'million_requests' } });
  const yaml = yamlOf({ effectiveFrom, taxes, request });
  // A replica that read the lists before.
  const deaf = {
    ...billing.replica(),
    prices: await keepPriceLists(billing.db.kysely<unknown>(), await readPriceLists(PRICE_LISTS)),
  };
  const made = await createPriceListVersion(billing, yaml);
  expect(made).toMatchObject({ id: `cloud-run-tier-1@${effectiveFrom}`, taxes: [{ name: 'VAT', percent: '19' }] });
  expect(parse(await priceListYaml(billing, made.id))).toEqual(parse(yaml));
  await expect(createPriceListVersion(billing, yaml)).rejects.toMatchObject({ code: 'resource.already_exists' });

  const at = Date.parse(effectiveFrom);
  await billing.clock.advance(3_600_000);
  const project = 'split';
  await ingestBatch(deaf, [
    usageEvent({ project, key: 'before', from: at - 1, until: at + 999, busy: [], requests: 10_000_000 }),
    usageEvent({ project, key: 'after', from: at, until: at + 1000, busy: [], requests: 10_000_000 }),
  ]);
  const costs = await getCosts(billing, project);
  // 10 M × 0.40 without tax, 10 M × 1.00 and 19 % of it.
  expect(costs.lines.map((line) => [line.meter, line.unitPrice, line.amount])).toEqual([
    ['requests', '0.40', '4.00'],
    ['requests', '1.00', '10.00'],
  ]);
  const invoice = await closePeriod(deaf, project, null);
  expect(invoice).toMatchObject({
    subtotal: '14.00',
    taxes: [{ name: 'VAT', percent: '19', amount: '1.90' }],
    total: '15.90',
    priceList: `cloud-run-tier-1@2024-01-01T00:00:00Z, cloud-run-tier-1@${effectiveFrom}`,
  });
  expect(await verifyInvoice(billing, project, invoice.id)).toMatchObject({ exact: true, usageRows: 2 });
});

test('of many at once one adds the version', async () => {
  const yaml = yamlOf({ name: 'gold', effectiveFrom: '2020-01-01T00:00:00Z' });
  const all = await Promise.allSettled(
    [billing, billing.replica(), billing].map((replica) => createPriceListVersion(replica, yaml)),
  );
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const { rows } = await billing.db.query(`SELECT 1 FROM billing.price_list WHERE name = 'gold'`);
  expect(rows).toHaveLength(1);
});
