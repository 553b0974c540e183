import { OPERATIONS } from '@skyrun/contracts';
import {
  type Authenticator,
  type Client,
  createClient,
  createHttpServer,
  createMetrics,
  type HttpServer,
  operationUrl,
  silentLogger,
  systemClock,
} from '@skyrun/kit';
import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ingestBatch } from './ingest/ingest-batch.ts';
import { createTickedJobs } from './jobs/ticked-jobs.ts';
import { closePeriod } from './period/close-period.ts';
import { createRoutes } from './routes.ts';
import { type TestBilling, testBilling } from './testing/billing-context.ts';
import { NOON, usageEvent } from './testing/usage-events.ts';
import { verifyInvoice } from './verify/verify-invoice.ts';

const member: Authenticator = {
  async authenticate() {
    return { kind: 'user', userId: 'usr_1', email: 'a@b.c', admin: false, expiresAt: Number.POSITIVE_INFINITY };
  },
  can: async (_caller, permission, project) =>
    permission === 'authenticated' ||
    ((permission === 'billing.read' || permission === 'billing.manage') && project === 'mine'),
};

let billing: TestBilling;
let http: HttpServer;
let baseUrl: string;
let client: Client;
beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'));
  const module = {
    name: 'billing',
    api: createRoutes(() => billing, createTickedJobs({ jobs: [], clock: billing.clock, logger: silentLogger })),
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    ready: () => ({ ok: true, checks: {} }),
  };
  http = createHttpServer({
    modules: [module],
    authenticator: member,
    logger: silentLogger,
    clock: systemClock,
    metrics: createMetrics(),
    host: '127.0.0.1',
    port: 0,
  });
  const { port } = await http.listen();
  baseUrl = `http://127.0.0.1:${port}`;
  client = createClient({ baseUrl, token: () => 'token' });
});
afterAll(async () => {
  await http.close(100);
  await billing.close();
});

const params = { project: 'mine' };

describe('the API', () => {
  test('pages usage, newest first, and tells which rows an invoice bills', async () => {
    const before = Array.from({ length: 5 }, (_, index) =>
      usageEvent({ project: 'mine', key: `a${index}`, from: NOON + index * 1000, service: index % 2 ? 'api' : 'web' }),
    );
    await ingestBatch(billing, before);
    const first = await closePeriod(billing, 'mine', null);
    await ingestBatch(billing, [usageEvent({ project: 'mine', key: 'late', from: NOON - 1000, requests: 3 })]);
    const second = await closePeriod(billing, 'mine', null);

    const keys: string[] = [];
    let cursor: string | undefined;
    do {
      const query: { limit: number; cursor?: string } = cursor === undefined ? { limit: 2 } : { limit: 2, cursor };
      const page = await client.call(OPERATIONS.listUsage, { params, query });
      keys.push(...page.items.map((item) => item.key));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(keys).toEqual(['a4', 'a3', 'a2', 'a1', 'a0', 'late']);

    const rowsOf = async (invoiceId: string, service?: string) => {
      const query = service === undefined ? { invoiceId } : { invoiceId, service };
      const { items } = await client.call(OPERATIONS.listUsage, { params, query });
      return items.map((item) => item.key);
    };
    expect(await rowsOf(first.id)).toEqual(['a4', 'a3', 'a2', 'a1', 'a0']);
    expect(await rowsOf(first.id, 'api')).toEqual(['a3', 'a1']);
    expect(await rowsOf(second.id)).toEqual(['late']);
  });

  test('lists invoices newest first, page by page, and gives one as JSON, PDF and CSV', async () => {
    const page = await client.call(OPERATIONS.listInvoices, { params, query: { limit: 1 } });
    expect(page.items.map((invoice) => invoice.number)).toEqual(['MINE-000002']);
    const rest = await client.call(OPERATIONS.listInvoices, { params, query: { cursor: page.nextCursor ?? '' } });
    expect(rest).toMatchObject({ items: [{ number: 'MINE-000001' }], nextCursor: null });
    const [invoice] = rest.items;
    if (!invoice) throw new Error('no invoice');
    const one = { ...params, invoiceId: invoice.id };
    expect(await client.call(OPERATIONS.getInvoice, { params: one })).toEqual(invoice);
    expect(await client.call(OPERATIONS.verifyInvoice, { params: one })).toMatchObject({ exact: true, usageRows: 5 });

    const pdf = await fetch(operationUrl(baseUrl, OPERATIONS.getInvoicePdf, one, {}));
    expect(pdf.headers.get('content-type')).toBe('application/pdf');
    expect(pdf.headers.get('content-disposition')).toContain('MINE-000001.pdf');
    expect(
      Buffer.from(await pdf.arrayBuffer())
        .subarray(0, 5)
        .toString(),
    ).toBe('%PDF-');
    const csv = await fetch(operationUrl(baseUrl, OPERATIONS.getInvoiceCsv, one, {}));
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect((await csv.text()).split('\r\n')[1]).toContain(`MINE-000001,${invoice.periodStart}`);
  });

  test('shows the price lists', async () => {
    const { items } = await client.call(OPERATIONS.listPriceLists, {});
    expect(items.map(({ name }) => name)).toEqual(['cloud-run-tier-1', 'cloud-run-tier-2']);
    expect(items[0]).toMatchObject({
      request: { cpu: { price: '0.000024', per: 'vCPU-second' }, requests: { price: '0.40', per: 'million requests' } },
      egress: [{ upToGib: 1, price: '0.00' }, {}, {}, { upToGib: null, price: '0.08' }],
      discounts: [],
    });
  });

  test('shows ledger, documents, budgets and analysis of a project', async () => {
    expect(await client.call(OPERATIONS.getLedger, { params })).toMatchObject({ balanced: true });
    const entries = await client.call(OPERATIONS.listLedgerEntries, { params, query: { limit: 1 } });
    expect(entries.items).toMatchObject([{ kind: 'invoiced' }]);
    const older = await client.call(OPERATIONS.listLedgerEntries, {
      params,
      query: { cursor: entries.nextCursor ?? '' },
    });
    expect(older.items.every(({ seq }) => seq < (entries.items[0]?.seq ?? 0))).toBe(true);
    expect(await client.call(OPERATIONS.listCreditNotes, { params })).toEqual({ items: [], nextCursor: null });
    expect(await client.call(OPERATIONS.listBudgets, { params })).toEqual({ items: [] });
    expect(await client.call(OPERATIONS.listBudgetAlerts, { params })).toEqual({ items: [], nextCursor: null });
    const analysis = await client.call(OPERATIONS.getCostAnalysis, { params, query: { groupBy: 'service' } });
    expect(analysis.groups.map(({ key }) => key)).toEqual(['api', 'web']);
  });

  test.each([
    ['another project’s invoices', OPERATIONS.listInvoices, { project: 'other' }, {}, 'auth.forbidden'],
    ['a made-up cursor', OPERATIONS.listUsage, params, { cursor: 'x' }, 'request.invalid'],
    ['an unknown invoice', OPERATIONS.listUsage, params, { invoiceId: 'inv_x' }, 'resource.not_found'],
  ])('refuses %s', async (_, operation, of, query, code) => {
    const response = await fetch(operationUrl(baseUrl, operation, of, query));
    expect(await response.json()).toMatchObject({ code });
  });

  test.each([
    ['close its period', () => client.call(OPERATIONS.closePeriod, { params, body: {} })],
    [
      'say that it paid',
      () =>
        client.call(OPERATIONS.payInvoice, {
          params: { ...params, invoiceId: 'inv_x' },
          body: { reference: 'transfer 4711' },
        }),
    ],
    [
      'declare an invoice void',
      () => client.call(OPERATIONS.voidInvoice, { params: { ...params, invoiceId: 'inv_x' } }),
    ],
    [
      'credit itself',
      () =>
        client.call(OPERATIONS.createCreditNote, {
          params: { ...params, invoiceId: 'inv_x' },
          body: { reason: 'dear' },
        }),
    ],
  ])('whoever manages the billing of a project may not %s', async (_, work) => {
    await expect(work()).rejects.toMatchObject({ code: 'auth.forbidden' });
  });
});

describe('verification', () => {
  test('names the first difference between an invoice and its usage', async () => {
    await ingestBatch(billing, [usageEvent({ project: 'forged', key: 'a', requests: 1_000_000 })]);
    const invoice = await closePeriod(billing, 'forged', null);
    // Only someone who switches the guards off can do this.
    await billing.db.transaction(async (tx) => {
      await tx.query(`SET LOCAL session_replication_role = 'replica'`);
      await tx.query(
        `UPDATE invoice_line SET amount = amount - 10000000000 WHERE invoice_id = $1 AND meter = 'requests'`,
        [invoice.id],
      );
    });
    expect(await verifyInvoice(billing, 'forged', invoice.id)).toMatchObject({
      exact: false,
      difference: { field: 'lines[2].amount', invoice: '0.39', usage: '0.40' },
    });
  });
});
