import { randomBytes } from 'node:crypto';
import { createBus } from '@skyrun/bus';
import { silentLogger, systemClock } from '@skyrun/kit';
import { testDatabase, testRedisUrl } from '@skyrun/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { monthStart } from './aggregate/slot.ts';
import { createBillingService } from './app.ts';
import type { UsageEvent } from './ingest/check-usage.ts';
import { closePeriod } from './period/close-period.ts';
import { type TestBilling, testBilling } from './testing/billing-context.ts';
import { usageEvent } from './testing/usage-events.ts';
import { verifyInvoice } from './verify/verify-invoice.ts';

let billing: TestBilling;
beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'));
});
afterAll(() => billing.close());

test('replicas on a real broker bill each event once, though one stops, one starts and events come twice', async () => {
  const url = await testRedisUrl();
  const namespace = `billing-${randomBytes(4).toString('hex')}`;
  const bus = () => createBus({ kind: 'redis', url, namespace, clock: systemClock, logger: silentLogger });
  const replica = async () => {
    const own = await bus();
    const service = createBillingService({
      config: {
        SKYRUN_BILLING_PRICE_LIST: 'cloud-run-tier-1',
        SKYRUN_BILLING_FREE_TIER: false,
        SKYRUN_BILLING_GRACE_MINUTES: 60,
        SKYRUN_SMTP_URL: undefined,
        SKYRUN_MAIL_FROM: 'skyrun@localhost',
        SKYRUN_REDIS_URL: url,
      },
      databaseUrl: billing.databaseUrl,
      bus: own,
      clock: systemClock,
      logger: silentLogger,
    });
    await service.start();
    return async () => {
      await service.stop();
      await own.close();
    };
  };

  const count = 3_000;
  // In the open period, as the replicas close what the calendar says is over.
  const recently = Math.max(systemClock.now() - 600_000, monthStart(systemClock.now()));
  // Some are published again under another event id, as a gateway does that was killed before it heard the confirm.
  const events = Array.from({ length: count }, (_, index): UsageEvent[] => {
    const usage = {
      project: 'many',
      key: `k${index}`,
      service: `service-${index % 40}`,
      instance: 1 + (index % 40),
      from: recently + Math.floor(index / 40) * 10,
      requests: 7,
    };
    const event = usageEvent(usage);
    return index % 3 === 0 ? [event, { ...event, id: `evt-again-${index}` }] : [event];
  }).flat();

  const producer = await bus();
  const stopFirst = await replica();
  const stopSecond = await replica();
  const started = systemClock.monotonic();
  for (let at = 0; at < events.length; at += 200) await producer.publish(events.slice(at, at + 200));
  await stopFirst();
  const stopThird = await replica();
  const counted = async () => {
    const { rows } = await billing.db.query<{ count: string }>(
      `SELECT count(*)::text AS count FROM billing.usage WHERE project = 'many'`,
    );
    return Number(rows[0]?.count);
  };
  try {
    await expect.poll(counted, { timeout: 90_000, interval: 100 }).toBe(count);
    const seconds = (systemClock.monotonic() - started) / 1000;
    process.stdout.write(`${events.length} deliveries over Redis, billed ${count} in ${seconds.toFixed(1)} s\n`);
  } finally {
    await stopSecond();
    await stopThird();
    await producer.close();
  }
  const invoice = await closePeriod({ ...billing, clock: systemClock }, 'many', null);
  const requests = invoice.lines.filter((line) => line.meter === 'requests');
  expect(requests).toHaveLength(40);
  expect(requests.reduce((sum, line) => sum + Number(line.quantity), 0)).toBe(count * 7);
  expect(await verifyInvoice(billing, 'many', invoice.id)).toMatchObject({ exact: true, usageRows: count });
});
