import { testDatabase } from '@skyrun/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { placeAll } from './aggregate/accrue.ts';
import { measure } from './aggregate/measure.ts';
import { calculate } from './calculate/calculate.ts';
import { getCosts } from './cost/get-costs.ts';
import { checkUsage, type UsageEvent } from './ingest/check-usage.ts';
import { ingestBatch } from './ingest/ingest-batch.ts';
import { closePeriod } from './period/close-period.ts';
import { type TestBilling, testBilling } from './testing/billing-context.ts';
import { NOON, usageEvent } from './testing/usage-events.ts';
import { verifyInvoice } from './verify/verify-invoice.ts';

let billing: TestBilling;
beforeAll(async () => {
  billing = await testBilling(await testDatabase('billing'), { priceList: 'cloud-run-tier-1', freeTier: true });
});
afterAll(() => billing.close());

let projects = 0;
function newProject(): string {
  projects += 1;
  return `p${projects}`;
}

/** Usage of four instances by three sources, repeatable by its seed. */
function someUsage(project: string, count: number, seed: number, seconds = 60): UsageEvent[] {
  let state = seed;
  const random = (below: number) => {
    state = (state * 1_140_671 + 12_820_163) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  return Array.from({ length: count }, (_, index) => {
    const from = NOON + random(seconds) * 1000 + random(3) * 333;
    const until = from + 1000;
    const a = from + random(500);
    const b = a + random(400);
    const instance = 1 + random(4);
    const lifetime = random(4) === 0;
    return usageEvent({
      project,
      key: `source-${index % 3}/${index}`,
      kind: lifetime ? 'lifetime' : 'requests',
      instance,
      service: instance > 2 ? 'web' : 'api',
      billingMode: instance === 4 ? 'instance' : 'request',
      from,
      until,
      busy: lifetime ? [[from, until]] : [[a, b + 1]],
      requests: lifetime ? 0 : random(2_000_000),
      bytesOut: random(2 ** 30),
      cpuMilli: 250 * instance,
      memoryMib: 100 * instance,
      minInstance: lifetime && instance === 1,
    });
  });
}

/** The bill that the events make when each is counted once, by the pure functions alone. */
function billOf(events: readonly UsageEvent[]) {
  const rows = events.flatMap((event, index) => {
    const checked = checkUsage(event, NOON + 3_600_000);
    const priceList = billing.prices.at('cloud-run-tier-1', NOON).id;
    return checked.ok ? [{ ...checked.row, priceList, seq: index + 1 }] : [];
  });
  expect(rows).toHaveLength(events.length);
  const totals = measure(placeAll(rows, [{ ordinal: 1, startsAt: NOON, endsAt: null, closedSeq: null }]));
  return calculate({ totals, ordinal: 1, prices: billing.prices, freeTier: true, minorUnitPlaces: 2 });
}

async function running(project: string): Promise<{ busy: string; requests: string; rows: string; bytes: string }> {
  const { rows } = await billing.db.query<{ busy: string; requests: string; rows: string; bytes: string }>(
    `SELECT sum(busy_ms * cpu_milli)::text AS busy, sum(requests)::text AS requests, sum(bytes_out)::text AS bytes,
       sum(request_rows + lifetime_rows)::text AS rows FROM billing.instance_total WHERE project = $1`,
    [project],
  );
  const [found] = rows;
  if (!found) throw new Error('no totals');
  return found;
}

describe('whatever happens to deliveries, each usage is billed once', () => {
  test('any shuffle, repetition and batching gives the same invoice to the last digit', async () => {
    const deliveries = fc.record({
      count: fc.integer({ min: 1, max: 60 }),
      seed: fc.nat(1_000_000),
      order: fc.infiniteStream(fc.nat(1_000_000)),
      batch: fc.integer({ min: 1, max: 25 }),
    });
    await fc.assert(
      fc.asyncProperty(deliveries, async ({ count, seed, order, batch }) => {
        const project = newProject();
        const events = someUsage(project, count, seed);
        const places = [...order.take(events.length * 2)];
        const twice = [...events, ...events].map((event, index) => ({ event, place: places[index] ?? 0 }));
        const queue = twice.sort((a, b) => a.place - b.place).map(({ event }) => event);
        let accepted = 0;
        for (let at = 0; at < queue.length; at += batch) {
          accepted += (await ingestBatch(billing, queue.slice(at, at + batch))).accepted;
        }
        expect(accepted).toBe(count);
        const expected = billOf(events);
        const costs = await getCosts(billing, project);
        const invoice = await closePeriod(billing, project, null);
        expect(costs.lines.map((line) => line.amount)).toEqual(invoice.lines.map((line) => line.amount));
        expect(invoice.lines.map((line) => [line.service, line.meter, line.quantity])).toEqual(
          expected.lines.map((line) => [line.service, line.meter, line.quantity.toString()]),
        );
        expect(await verifyInvoice(billing, project, invoice.id)).toMatchObject({ exact: true, difference: null });
      }),
      { numRuns: 12 },
    );
  });

  test('competing consumers whose connections are killed', async () => {
    const project = newProject();
    const count = 6_000;
    const events = someUsage(project, count, 42, 1_200);
    // Each event up to three times, in no order.
    const queue = events
      .flatMap((event, index) => Array.from({ length: 1 + (index % 3) }, () => event))
      .map((event, index) => ({ event, place: (index * 7919) % 100_003 }))
      .sort((a, b) => a.place - b.place)
      .map(({ event }) => event);
    const delivered = queue.length;
    let redelivered = 0;
    let taken = 0;
    const consume = async (context: typeof billing | ReturnType<typeof billing.replica>) => {
      for (;;) {
        const batch = queue.splice(0, 97);
        if (batch.length === 0) return;
        try {
          await ingestBatch(context, batch);
          taken += 1;
        } catch {
          // As a broker does with what was not acknowledged.
          redelivered += batch.length;
          queue.push(...batch);
        }
      }
    };
    let done = false;
    let kills = 0;
    const killer = (async () => {
      while (!done) {
        // Something gets through between two kills, so that a slow machine comes to the end, too.
        const before = taken;
        const { rows } = await billing.db.query<{ pid: number }>(
          `SELECT pg_terminate_backend(pid), pid FROM pg_stat_activity
           WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid() LIMIT 1`,
        );
        kills += rows.length;
        do await new Promise((resolve) => setTimeout(resolve, 60));
        while (!done && rows.length > 0 && taken === before);
      }
    })();
    await Promise.all([billing.replica(), billing.replica(), billing.replica()].map(consume));
    done = true;
    await killer;
    expect(kills).toBeGreaterThan(0);
    const sum = (of: (event: UsageEvent) => number) => events.reduce((total, event) => total + of(event), 0);
    expect(await running(project)).toMatchObject({
      rows: String(count),
      requests: String(sum((event) => event.data.requests)),
      bytes: String(sum((event) => event.data.bytesOut)),
    });
    const invoice = await closePeriod(billing, project, null);
    const expected = billOf(events);
    expect(invoice.lines.map((line) => line.quantity)).toEqual(expected.lines.map((line) => line.quantity.toString()));
    const verified = await verifyInvoice(billing, project, invoice.id);
    expect(verified).toMatchObject({ exact: true, usageRows: count });
    process.stdout.write(
      `${count} usage events, ${delivered} deliveries, ${kills} connections killed, ${redelivered} redelivered: ` +
        `billed ${verified.usageRows}, ${invoice.total} ${invoice.currency}\n`,
    );
  });
});
