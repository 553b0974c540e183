import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BillingContext } from '../context.ts';
import { getCosts } from '../cost/get-costs.ts';
import { ingestBatch } from '../ingest/ingest-batch.ts';
import { closingJob } from '../jobs/billing-jobs.ts';
import { type TestBilling, testBilling } from '../testing/billing-context.ts';
import { runOnce } from '../testing/run-once.ts';
import { instanceId, NOON, usageEvent } from '../testing/usage-events.ts';
import { verifyInvoice } from '../verify/verify-invoice.ts';
import { closePeriod } from './close-period.ts';

let billing: TestBilling;
beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'));
});
afterAll(() => billing.close());

const GRACE_MS = 3_600_000;
const closeAllDue = (context: BillingContext) => runOnce(closingJob(() => context, GRACE_MS));

async function eventsOf(project: string): Promise<unknown[]> {
  const { rows } = await billing.db.query<{ event: { type: string; data: unknown } }>(
    `SELECT event FROM billing.outbox WHERE event->>'project' = $1 ORDER BY id`,
    [project],
  );
  return rows.map((row) => row.event.data);
}

async function usageOf(project: string, condition: string): Promise<string[]> {
  const { rows } = await billing.db.query<{ key: string }>(
    `SELECT key FROM billing.usage WHERE project = $1 AND ${condition} ORDER BY key`,
    [project],
  );
  return rows.map((row) => row.key);
}

describe('closing', () => {
  test('many at once close once, and repeating returns the same invoice', async () => {
    const project = 'once';
    await ingestBatch(billing, [usageEvent({ project, key: 'a', requests: 1_000_000 })]);
    const replicas = [billing, billing.replica(), billing.replica()];
    const invoices = await Promise.all(
      Array.from({ length: 12 }, (_, index) => closePeriod(replicas[index % 3] ?? billing, project, null)),
    );
    expect(new Set(invoices.map((invoice) => invoice.id)).size).toBe(1);
    const again = await closePeriod(billing, project, null);
    expect(again.number).toBe('ONCE-000001');
    expect(await closePeriod(billing, project, Date.parse(again.periodEnd))).toEqual(again);
    expect(await eventsOf(project)).toMatchObject([{ number: 'ONCE-000001', total: again.total }]);
  });

  test('late usage becomes an adjustment, without what was billed already', async () => {
    const project = 'late';
    await ingestBatch(billing, [usageEvent({ project, key: 'a', requests: 1_000_000 })]);
    const first = await closePeriod(billing, project, NOON + 5000);
    // Half of it was busy time that the first invoice has.
    const late = usageEvent({ project, key: 'b', from: NOON + 500, until: NOON + 1500, requests: 2_000_000 });
    const inTime = usageEvent({ project, key: 'c', from: NOON + 6000, requests: 0 });
    expect(await ingestBatch(billing, [late, inTime])).toMatchObject({ accepted: 2, late: 1 });
    const second = await closePeriod(billing, project, null);
    expect(second.lines.map((line) => [line.description, line.quantity])).toEqual([
      ['vCPU while serving requests', '1000000'],
      ['Memory while serving requests', '512000'],
      ['Adjustment for late usage of 2026-01: vCPU while serving requests', '500000'],
      ['Adjustment for late usage of 2026-01: Memory while serving requests', '256000'],
      ['Adjustment for late usage of 2026-01: Requests', '2000000'],
    ]);
    expect([first.total, second.total]).toEqual(['0.40', '0.80']);
    for (const { id } of [first, second]) {
      expect(await verifyInvoice(billing, project, id)).toMatchObject({ exact: true });
    }
  });

  test('usage after `until` stays in the open period', async () => {
    const project = 'until';
    const straddling = usageEvent({ project, key: 'b', from: NOON + 1500, until: NOON + 2500 });
    await ingestBatch(billing, [
      usageEvent({ project, key: 'a', until: NOON + 2000, requests: 0 }),
      straddling,
      usageEvent({ project, key: 'c', from: NOON + 2000, until: NOON + 4000, requests: 0 }),
    ]);
    const before = await getCosts(billing, project);
    expect(before.lines[0]).toMatchObject({ meter: 'cpu', quantity: '4000000' });
    const invoice = await closePeriod(billing, project, NOON + 2000);
    expect(invoice.lines[0]).toMatchObject({ meter: 'cpu', quantity: '2500000', usageRows: 2 });
    expect((await getCosts(billing, project)).lines[0]).toMatchObject({ meter: 'cpu', quantity: '1500000' });
    const next = await closePeriod(billing, project, null);
    expect(next.lines[0]).toMatchObject({ quantity: '1500000', usageRows: 1 });
    for (const { id } of [invoice, next]) {
      expect(await verifyInvoice(billing, project, id)).toMatchObject({ exact: true });
    }
  });

  test('a time to come is refused, and a project without usage gets an empty invoice once', async () => {
    await expect(closePeriod(billing, 'empty', billing.clock.now() + 1)).rejects.toMatchObject({
      code: 'billing.period_open',
    });
    const invoice = await closePeriod(billing, 'empty', null);
    expect(invoice).toMatchObject({ lines: [], subtotal: '0.00', total: '0.00' });
    expect(await closePeriod(billing, 'empty', null)).toEqual(invoice);
  });

  test('a rolled back closing leaves no gap in the numbers', async () => {
    const project = 'gapless';
    // The last thing that closing does in its transaction, with the number long taken.
    const info = () => {
      throw new Error('the process dies here');
    };
    const failing = { ...billing, logger: { ...billing.logger, info } };
    for (const turn of [1, 2, 3]) {
      await ingestBatch(billing, [usageEvent({ project, key: `k${turn}`, from: NOON + turn * 1000 })]);
      await expect(closePeriod(failing, project, null)).rejects.toThrow('dies here');
      await billing.clock.advance(1);
      expect((await closePeriod(billing, project, null)).number).toBe(`GAPLESS-00000${turn}`);
    }
  });
});

describe('a finalized invoice', () => {
  test.each([
    ['total', `UPDATE billing.invoice SET total = total + 1, subtotal = subtotal + 1 WHERE project = 'fixed'`],
    ['state back to draft', `UPDATE billing.invoice SET state = 'draft' WHERE project = 'fixed'`],
    ['delete', `DELETE FROM billing.invoice WHERE project = 'fixed'`],
    ['line', `UPDATE billing.invoice_line SET amount = 0 WHERE service = 'fixed'`],
    ['line deleted', `DELETE FROM billing.invoice_line WHERE service = 'fixed'`],
    [
      'credit added',
      `INSERT INTO billing.invoice_credit SELECT id, 99, 'x', -1 FROM billing.invoice WHERE project = 'fixed'`,
    ],
    ['truncate', 'TRUNCATE billing.invoice_line'],
    ['usage', `UPDATE billing.usage SET requests = 0 WHERE project = 'fixed'`],
    ['usage deleted', `DELETE FROM billing.usage WHERE project = 'fixed'`],
    [
      'tax added',
      `INSERT INTO billing.invoice_tax SELECT id, 1, 'VAT', 1, 1 FROM billing.invoice WHERE project = 'fixed'`,
    ],
    [
      'period opened again',
      `UPDATE billing.period SET state = 'collecting', closed_seq = NULL WHERE project = 'fixed' AND ordinal = 1`,
    ],
    ['period moved', `UPDATE billing.period SET ends_at = ends_at + 1 WHERE project = 'fixed' AND ordinal = 1`],
    ['period deleted', `DELETE FROM billing.period WHERE project = 'fixed'`],
    [
      'number skipped',
      `UPDATE billing.account SET next_invoice_number = next_invoice_number + 2 WHERE project = 'fixed'`,
    ],
    [
      'number given back',
      `UPDATE billing.account SET next_invoice_number = next_invoice_number - 1 WHERE project = 'fixed'`,
    ],
    ['ledger', `UPDATE billing.ledger_transfer SET amount = 0 WHERE project = 'fixed'`],
    ['ledger deleted', `DELETE FROM billing.ledger_transfer WHERE project = 'fixed'`],
    ['document', `UPDATE billing.document SET content = '' WHERE project = 'fixed'`],
    ['price list', `UPDATE billing.price_list SET document = '{}'`],
    ['price list deleted', 'DELETE FROM billing.price_list'],
    [
      'paid without an entry in the ledger',
      `UPDATE billing.invoice SET state = 'paid', settled_at = 1 WHERE project = 'fixed'`,
    ],
  ])('refuses a change: %s', async (_, statement) => {
    await ingestBatch(billing, [usageEvent({ project: 'fixed', service: 'fixed', key: 'a', requests: 9_000_000 })]);
    const before = await closePeriod(billing, 'fixed', null);
    await expect(billing.db.query(statement)).rejects.toThrow(
      /immutable|append-only|cannot become|cannot be changed|one by one|has no entry/,
    );
    expect(await closePeriod(billing, 'fixed', null)).toEqual(before);
  });

  test('cannot be opened with lines that do not add up', async () => {
    await closePeriod(billing, 'paid', null);
    const draft = `INSERT INTO billing.invoice VALUES ('inv_x', 'paid', 99, 'X-1', 'draft', 'USD', 1, 2, 'l', 5, 0, 5, 1)`;
    const line = `INSERT INTO billing.invoice_line VALUES ('inv_x', 1, 'cpu', 's', 'd', 1, 'u', 1, 'p', 4, 1)`;
    await expect(
      billing.db.transaction(async (tx) => {
        await tx.query(draft);
        await tx.query(line);
        await tx.query(`UPDATE billing.invoice SET state = 'open' WHERE id = 'inv_x'`);
      }),
    ).rejects.toThrow(/lines 4 \+ credits 0 \+ taxes 0 are not/);
  });
});

describe('the calendar', () => {
  test('ends a period with the month, collects late usage for the grace, then closes it once', async () => {
    const own = await testBilling(await testDatabase('billing'));
    try {
      const project = 'monthly';
      const month = Date.UTC(2026, 1, 1);
      const second = (key: string, from: number) => usageEvent({ project, key, from, requests: 0 });
      await ingestBatch(own, [second('january', NOON)]);
      await own.clock.advance(month + 30_000 - own.clock.now());
      // The ticker has not run yet: February's first usage is still taken by the open period, then moves.
      await ingestBatch(own, [second('february', month + 1000)]);
      await closeAllDue(own);
      expect((await getCosts(own, project)).lines[0]).toMatchObject({ quantity: '1000000' });
      expect(await ingestBatch(own, [second('january, in the grace', month - 1000)])).toMatchObject({ late: 0 });
      await own.clock.advance(GRACE_MS);
      await Promise.all([closeAllDue(own), closeAllDue(own.replica())]);
      expect(await ingestBatch(own, [second('january, too late', month - 5000)])).toMatchObject({ late: 1 });
      const { rows } = await own.db.query(
        `SELECT i.number, l.meter, l.quantity::text FROM billing.invoice i JOIN billing.invoice_line l ON l.invoice_id = i.id
         ORDER BY i.ordinal, l.position`,
      );
      expect(rows).toEqual([
        { number: 'MONTHLY-000001', meter: 'cpu', quantity: '2000000' },
        { number: 'MONTHLY-000001', meter: 'memory', quantity: '1024000' },
      ]);
      expect((await getCosts(own, project)).lines.map((line) => line.quantity)).toEqual([
        '1000000',
        '512000',
        '1000000',
        '512000',
      ]);
    } finally {
      await own.close();
    }
  });
});

describe('usage that cannot be billed', () => {
  test('is kept under a name, once', async () => {
    const project = 'odd';
    const good = usageEvent({ project, key: 'good' });
    const other = { ...usageEvent({ project, key: 'good', requests: 7 }), id: 'evt-other' };
    const outside = usageEvent({ project, key: 'outside', busy: [[NOON - 1, NOON + 1]] });
    const future = usageEvent({ project, key: 'future', from: NOON + 86_400_000 });
    const result = await ingestBatch(billing, [good, other, outside, future]);
    await ingestBatch(billing, [other, outside, good]);
    expect(result.accepted).toBe(1);
    const { rows } = await billing.db.query(
      `SELECT key, problem FROM billing.rejected_usage WHERE project = $1 ORDER BY problem`,
      [project],
    );
    expect(rows).toEqual([
      { key: 'outside', problem: 'usage.busy_outside_window' },
      { key: 'good', problem: 'usage.key_conflict' },
      { key: 'future', problem: 'usage.window_in_future' },
    ]);
    expect(await usageOf(project, `instance_id = '${instanceId(1)}'`)).toEqual(['good']);
  });
});

test('usage of an unknown price list is refused by the database', async () => {
  await ingestBatch(billing, [usageEvent({ project: 'priced', key: 'a' })]);
  const columns = `key, fingerprint, kind, service, revision_name, instance_id, window_start, window_end, billing_mode,
    cpu_milli, memory_mib, requests, bytes_in, bytes_out, busy, min_instance, received_at`;
  const copy = `INSERT INTO billing.usage (project, price_list, ${columns})
    SELECT 'priced again', 'no-such-list', ${columns} FROM billing.usage WHERE project = 'priced'`;
  await expect(billing.db.query(copy)).rejects.toThrow(/there is no price list no-such-list/);
});
