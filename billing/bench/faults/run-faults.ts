/**
 * Usage over a real broker into a real database while everything that can die does: replicas are killed with SIGKILL, the
 * broker and the database too, and events come twice and in no order. Then each must be billed exactly once.
 */
import { createBus } from '@skyrun/bus';
import { PLATFORM_GROUPS } from '@skyrun/contracts';
import { silentLogger, systemClock } from '@skyrun/kit';
import { createDatabase } from '@skyrun/postgres';
import { startPostgres, startRabbitmq } from '@skyrun/testing';
import { monthStart } from '../../aggregate/slot.ts';
import type { UsageEvent } from '../../ingest/check-usage.ts';
import { closePeriod } from '../../period/close-period.ts';
import { PRICE_LISTS, readPriceLists } from '../../prices/load-price-lists.ts';
import { keepPriceLists } from '../../store/price-lists.ts';
import { usageEvent } from '../../testing/usage-events.ts';
import { verifyInvoice } from '../../verify/verify-invoice.ts';
import { Replica } from './replica.ts';

export interface FaultPlan {
  readonly events: number;
  /** Shares of the events (0 to 1) at which each is done, ascending. */
  readonly killReplica: readonly number[];
  readonly killBroker: readonly number[];
  readonly killDatabase: readonly number[];
  /** Given up after so long without progress, ms. */
  readonly patienceMs: number;
}

export interface FaultResult {
  readonly events: number;
  readonly published: number;
  readonly kills: { readonly replicas: number; readonly brokers: number; readonly databases: number };
  readonly billedRows: number;
  readonly billedRequests: number;
  readonly expectedRequests: number;
  readonly billedCpuMs: string;
  readonly expectedCpuMs: string;
  readonly exact: boolean;
  readonly invoiceTotal: string;
  readonly seconds: number;
}

const PROJECT = 'faults';
const INSTANCES = 200;
const REQUESTS = 3;
const BUSY_MS = 400;
const BATCH = 500;
const REPLICAS = 2;

export async function runFaults(plan: FaultPlan): Promise<FaultResult> {
  const clock = systemClock;
  const postgres = await startPostgres();
  const rabbit = await startRabbitmq();
  const { url: databaseUrl } = await postgres.createDatabase('faults');
  const db = createDatabase({ url: databaseUrl, schema: 'billing', applicationName: 'faults', logger: silentLogger });
  const replicas: Replica[] = [];
  const kills = { replicas: 0, brokers: 0, databases: 0 };
  const began = clock.monotonic();
  try {
    // One after the other: the first one migrates.
    for (let index = 0; index < REPLICAS; index += 1) replicas.push(await Replica.start(databaseUrl, rabbit.url));
    let done = false;
    const revive = async () => {
      while (!done) {
        for (const [index, replica] of replicas.entries()) {
          if (!replica.alive && !done) replicas[index] = await Replica.start(databaseUrl, rabbit.url);
        }
        await clock.sleep(100);
      }
    };
    const count = async () => {
      try {
        const { rows } = await db.query<{ count: number }>(
          `SELECT count(*)::float8 AS count FROM billing.usage WHERE project = $1`,
          [PROJECT],
        );
        return rows[0]?.count ?? 0;
      } catch {
        // The database is being restarted.
        return null;
      }
    };
    const strikes = [
      ...plan.killReplica.map((at) => ({
        at,
        async strike() {
          await replicas[kills.replicas % REPLICAS]?.kill();
          kills.replicas += 1;
        },
      })),
      ...plan.killBroker.map((at) => ({
        at,
        async strike() {
          await rabbit.kill();
          await rabbit.restart();
          kills.brokers += 1;
        },
      })),
      ...plan.killDatabase.map((at) => ({
        at,
        async strike() {
          await postgres.kill();
          await postgres.restart();
          kills.databases += 1;
        },
      })),
    ].sort((a, b) => a.at - b.at);

    const reviving = revive();
    const publishing = publishAll(plan.events, rabbit.url);
    let rows = 0;
    let movedAt = clock.monotonic();
    try {
      while (rows < plan.events || strikes.length > 0) {
        const counted = await count();
        if (counted !== null && counted > rows) {
          rows = counted;
          movedAt = clock.monotonic();
        }
        const [next] = strikes;
        if (next && rows >= next.at * plan.events) {
          strikes.shift();
          await next.strike();
          movedAt = clock.monotonic();
        }
        if (clock.monotonic() - movedAt > plan.patienceMs) {
          throw new Error(`${rows} of ${plan.events} were billed, and for ${plan.patienceMs} ms no other`);
        }
        // Seldom: counting is work for the database under test, too.
        await clock.sleep(250);
      }
    } finally {
      done = true;
      await reviving;
    }
    const published = await publishing;
    await untilQuiet(rabbit.url, plan.patienceMs);
    const seconds = (clock.monotonic() - began) / 1000;

    const prices = await keepPriceLists(db.kysely<unknown>(), await readPriceLists(PRICE_LISTS));
    const newAccount = { priceList: 'cloud-run-tier-1', freeTier: false };
    const context = { db, clock, logger: silentLogger, prices, newAccount };
    const invoice = await closePeriod(context, PROJECT, null);
    const verified = await verifyInvoice(context, PROJECT, invoice.id);
    const sum = (meter: string) =>
      invoice.lines.filter((line) => line.meter === meter).reduce((total, line) => total + BigInt(line.quantity), 0n);
    return {
      events: plan.events,
      published,
      kills,
      billedRows: verified.usageRows,
      billedRequests: Number(sum('requests')),
      expectedRequests: plan.events * REQUESTS,
      billedCpuMs: (sum('cpu') / 1000n).toString(),
      expectedCpuMs: String(plan.events * BUSY_MS),
      exact: verified.exact,
      invoiceTotal: `${invoice.total} ${invoice.currency}`,
      seconds,
    };
  } finally {
    await Promise.all(replicas.map((replica) => replica.kill()));
    await db.close();
    await rabbit.stop();
    await postgres.stop();
  }
}

/** Each event once or twice (under another event id, as after a confirm that was not heard), in no order. */
async function publishAll(events: number, url: string): Promise<number> {
  const clock = systemClock;
  // In the open period, as the replicas close what the calendar says is over.
  const base = Math.max(clock.now() - 3_600_000, monthStart(clock.now()));
  const deliveries = Math.floor(events * 1.25);
  const eventAt = (delivery: number): UsageEvent => {
    // A walk through all deliveries by a step that shares no factor with their number.
    const index = ((delivery * stepFor(deliveries)) % deliveries) % events;
    const from = base + Math.floor(index / INSTANCES) * 1000;
    const busy = [[from + 100, from + 100 + BUSY_MS] as const];
    const usage = { project: PROJECT, key: `k${index}`, id: `evt-${delivery}`, instance: 1 + (index % INSTANCES) };
    return usageEvent({ ...usage, from, busy, requests: REQUESTS });
  };
  let published = 0;
  const open = () => createBus({ kind: 'rabbitmq', url, namespace: 'skyrun', clock, logger: silentLogger });
  const bus = await open();
  try {
    for (let at = 0; at < deliveries; at += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, deliveries - at) }, (_, offset) => eventAt(at + offset));
      for (;;) {
        published += batch.length;
        try {
          await bus.publish(batch);
          break;
        } catch {
          // The broker is away; what it may have taken comes twice.
          await clock.sleep(200);
        }
      }
    }
  } finally {
    await bus.close();
  }
  return published;
}

function stepFor(count: number): number {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  let step = Math.floor(count * 0.618);
  while (gcd(step, count) !== 1) step += 1;
  return step;
}

/** Waits until the repeated deliveries were looked at too: what is billed must not change with them. */
async function untilQuiet(url: string, patienceMs: number): Promise<void> {
  const clock = systemClock;
  const bus = await createBus({ kind: 'rabbitmq', url, namespace: 'skyrun', clock, logger: silentLogger });
  try {
    const letters = await bus.deadLetters(PLATFORM_GROUPS.billing.group).list(1);
    if (letters.items.length > 0) throw new Error(`a delivery was given up: ${JSON.stringify(letters.items[0])}`);
    await clock.sleep(Math.min(2_000, patienceMs));
  } finally {
    await bus.close();
  }
}
