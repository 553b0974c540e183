import { createBus, MemoryBroker } from '@skyrun/bus';
import type { AnyEvent } from '@skyrun/contracts';
import { silentLogger, systemClock } from '@skyrun/kit';
import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBillingService } from './app.ts';
import { getCosts } from './cost/get-costs.ts';
import { ingestBatch } from './ingest/ingest-batch.ts';
import { closePeriod } from './period/close-period.ts';
import { type TestBilling, testBilling } from './testing/billing-context.ts';
import { NOON, usageEvent } from './testing/usage-events.ts';

let billing: TestBilling;
beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'));
});
afterAll(() => billing.close());

describe('from usage to invoice', () => {
  test('usage shows in the live cost, and the invoice says the same', async () => {
    const project = 'thin';
    // Two gateways saw the same instance busy at the same time: 3 s of union, not 4.
    const events = [
      usageEvent({ project, key: 'a', until: NOON + 2000, requests: 500_000, cpuMilli: 2000, memoryMib: 1024 }),
      usageEvent({
        project,
        key: 'b',
        from: NOON + 1000,
        until: NOON + 3000,
        requests: 500_000,
        cpuMilli: 2000,
        memoryMib: 1024,
      }),
    ];
    const result = await ingestBatch(billing, [...events, ...events]);
    expect(result).toMatchObject({ accepted: 2, duplicates: 2, late: 0, rejected: [] });
    const costs = await getCosts(billing, project);
    // 3 s × 2 vCPU × 0.000024 + 3 s × 1 GiB × 0.0000025 + 1 M requests × 0.40
    expect(costs).toMatchObject({ exactTotal: '0.4001515', total: '0.40', usageUntil: '2026-01-15T12:00:03.000Z' });
    const invoice = await closePeriod(billing, project, null);
    expect(invoice).toMatchObject({ number: 'THIN-000001', state: 'open', total: '0.40', subtotal: costs.subtotal });
    expect(invoice.lines.map((line) => [line.meter, line.quantity])).toEqual([
      ['cpu', '6000000'],
      ['memory', '3072000'],
      ['requests', '1000000'],
    ]);
    expect(await getCosts(billing, project)).toMatchObject({ exactTotal: '0.00', lines: [] });
  });
});

describe('the service', () => {
  test('bills what comes over the bus and tells of cost and invoice', async () => {
    const broker = new MemoryBroker();
    const bus = await createBus({ kind: 'memory', broker, clock: systemClock, logger: silentLogger });
    const service = createBillingService({
      config: {
        SKYRUN_BILLING_PRICE_LIST: 'cloud-run-tier-1',
        SKYRUN_BILLING_FREE_TIER: false,
        SKYRUN_BILLING_GRACE_MINUTES: 60,
        SKYRUN_SMTP_URL: undefined,
        SKYRUN_MAIL_FROM: 'skyrun@localhost',
        SKYRUN_REDIS_URL: undefined,
      },
      databaseUrl: billing.databaseUrl,
      bus,
      clock: systemClock,
      logger: silentLogger,
    });
    const heard: AnyEvent[] = [];
    const feed = await bus.subscribe({
      group: 'listener',
      types: ['skyrun.cost.updated.v1', 'skyrun.invoice.closed.v1'],
      async handler(event) {
        if (event.project === 'live') heard.push(event);
      },
    });
    await service.start();
    try {
      // Of this month, which the service itself does not close before an hour of the next one is over.
      const from = systemClock.now() - 2_000;
      await bus.publish([usageEvent({ project: 'live', key: 'a', from, busy: [], requests: 1_000_000 })]);
      await expect.poll(() => heard.length).toBe(1);
      await closePeriod({ ...billing.replica(), clock: systemClock }, 'live', null);
      await expect.poll(() => heard.length).toBe(2);
      const [cost, invoice] = heard;
      expect(cost).toMatchObject({
        type: 'skyrun.cost.updated.v1',
        data: { project: 'live', exactTotal: '0.40', services: [{ service: 'api', exactAmount: '0.40' }] },
      });
      expect(invoice).toMatchObject({ type: 'skyrun.invoice.closed.v1', data: { project: 'live', total: '0.40' } });
      expect(service.ready().ok).toBe(true);
    } finally {
      await service.stop();
      await service.stop();
      await feed.close();
      await bus.close();
    }
  });
});
