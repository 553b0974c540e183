import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ingestBatch } from './ingest/ingest-batch.ts';
import { lineBehind } from './line-behind.ts';
import { closePeriod } from './period/close-period.ts';
import { loadPeriods } from './store/accounts.ts';
import { findInvoice } from './store/invoices.ts';
import { listUsage } from './store/list-usage.ts';
import { type TestBilling, testBilling } from './testing/billing-context.ts';
import { NOON, usageEvent } from './testing/usage-events.ts';

let billing: TestBilling;
beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'));
});
afterAll(() => billing.close());

const project = 'drill';
const HOUR_MS = 3_600_000;

/** The keys behind each line, by description. */
async function keysByLine(invoiceId: string): Promise<Map<string, string[]>> {
  const db = billing.db.kysely<unknown>();
  const stored = await findInvoice(db, project, invoiceId);
  const chain = (await loadPeriods(db, [project])).get(project) ?? [];
  const period = chain.find((one) => one.ordinal === stored?.ordinal) ?? null;
  if (!stored) throw new Error('no invoice');
  const found = new Map<string, string[]>();
  for (const [index, line] of stored.invoice.lines.entries()) {
    const behind = await lineBehind(billing, stored, period, chain, index);
    const page = { service: behind.service, period, line: behind, after: null, limit: 100 };
    const rows = await listUsage(db, project, chain, page);
    // What the invoice says it sums up is what the page shows; starts and stops come on top of the requests.
    const counted = rows.filter(({ kind }) => behind.kind !== 'serving' || kind === 'requests');
    expect(counted, `${line.service} ${line.description}`).toHaveLength(line.usageRows);
    found.set(`${line.service}: ${line.description}`, rows.map(({ key }) => key).sort());
  }
  return found;
}

test('every line leads to the rows that it sums up, by mode, kind, and lateness', async () => {
  const hour = (key: string, hours: number, fields: object) =>
    usageEvent({
      project,
      key,
      from: NOON - hours * HOUR_MS,
      until: NOON - hours * HOUR_MS + 60_000,
      bytesOut: 2 ** 31,
      requests: 1000,
      ...fields,
    });
  await ingestBatch(billing, [
    hour('a1', 3, {}),
    hour('a2', 2, {}),
    hour('idle', 2.5, { kind: 'lifetime', minInstance: true }),
    hour('start', 3.1, { kind: 'lifetime', state: 'starting' }),
    hour('life', 3, { service: 'jobs', instance: 2, kind: 'lifetime', billingMode: 'instance' }),
    hour('busy', 3, { service: 'jobs', instance: 2, billingMode: 'instance' }),
  ]);
  const first = await closePeriod(billing, project, NOON - HOUR_MS);
  const lines = await keysByLine(first.id);
  expect(lines.get('api: vCPU while serving requests')).toEqual(['a1', 'a2', 'start']);
  expect(lines.get('api: Requests')).toEqual(['a1', 'a2']);
  expect(lines.get('api: vCPU of idle minimum instances')).toEqual(['idle', 'start']);
  expect(lines.get('jobs: vCPU of running instances')).toEqual(['life']);
  expect(lines.get('jobs: Data sent')).toEqual(['busy']);

  await ingestBatch(billing, [hour('late', 2.9, { instance: 3 }), hour('new', 0.5, { instance: 3 })]);
  const second = await keysByLine((await closePeriod(billing, project, null)).id);
  expect(second.get('api: Adjustment for late usage of 2026-01: Requests')).toEqual(['late']);
  expect(second.get('api: Requests')).toEqual(['new']);
});

test('a line that is not there is refused by its field', async () => {
  await expect(lineBehind(billing, null, null, [], 0)).rejects.toMatchObject({
    code: 'request.invalid',
    errors: [{ field: 'line' }],
  });
});
