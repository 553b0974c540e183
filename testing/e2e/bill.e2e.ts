import {
  type CostReport,
  type Instance,
  type Meter,
  OPERATIONS,
  parseMoney,
  type ServiceSpec,
} from '@skyrun/contracts';
import { type Client, systemClock } from '@skyrun/kit';
import { type LoggedRequest, runLoad, steady } from '@skyrun/workload';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from './stack.ts';

/**
 * The bill of a service that exists for this test only, against a calculation that knows nothing of billing: the load
 * generator's own log, the container's life as the API tells it, and the prices of the price page.
 *
 * Resolution. A request occupies its instance somewhere within what its sender saw of it, and for as long as the service
 * said it would sleep: so between the union of what every request must have covered and the union of what it may have
 * covered, to the gateway's millisecond at either end and the next full 100 ms after. A container lives at least from
 * being ready to being told to end, at most from its row to its end.
 */
let stack: Stack;
let api: Client;
beforeAll(async () => {
  stack = await startStack();
  api = await stack.api();
});
afterAll(() => stack?.end());

const params = { project: 'demo', service: 'billed' };
const SLEEP_MS = 600;
const TICK_MS = 100;
/** The gateway rounds the start of a span down and its end up. */
const ROUNDING_MS = 2;

test('a run of load is billed as its own log, its container’s life and the price page say', async () => {
  const sample = await api.call(OPERATIONS.getService, { params: { project: 'demo', service: 'sample' } });
  const { template } = sample.spec;
  const spec: ServiceSpec = {
    ...sample.spec,
    template: { ...template, scaling: { ...template.scaling, minScale: 1, maxScale: 1 } },
  };
  await api.call(OPERATIONS.createService, { params: { project: 'demo' }, body: { name: 'billed', spec } });
  const ready = await poll(async () => (await instances()).find(({ state }) => state === 'ready'));

  const log: LoggedRequest[] = [];
  const report = await runLoad({
    connect: { host: '127.0.0.1', port: stack.port },
    hostHeader: `billed.demo.localhost:${stack.port}`,
    path: `/sleep?ms=${SLEEP_MS}`,
    method: 'GET',
    arrivals: steady({ requestsPerSecond: 3, durationMs: 12_000 }),
    timeoutMs: 30_000,
    maxInFlight: 100,
    clock: systemClock,
    onRequest: (request) => log.push(request),
  });
  expect(report).toMatchObject({ failed: 0, notSent: 0 });
  const deletedAt = systemClock.now();
  await api.call(OPERATIONS.deleteService, { params });
  const lived = await poll(async () => (await ended(ready.id)) ?? undefined);
  const costs = await settled();

  const quantity = (meter: Meter) => Number(lineOf(costs, meter)?.quantity ?? '0');
  const { cpuMilli, memoryMib } = template.resources;
  const inUse = quantity('cpu') / cpuMilli;
  const idle = quantity('cpu_idle') / cpuMilli;
  // Memory is billed for the same time, so the two quantities give the same milliseconds.
  expect(quantity('memory') / memoryMib).toBe(inUse);
  expect(quantity('memory_idle') / memoryMib).toBe(idle);

  // Requests: what was sent and answered, one by one.
  expect(quantity('requests')).toBe(log.length);

  // Time in use, from the generator's log; starting and stopping a container counts as use, too.
  const must = union(log.map(({ sentAt, endedAt }) => [endedAt - SLEEP_MS, sentAt + SLEEP_MS]));
  const may = union(log.map(({ sentAt, endedAt }) => [sentAt - ROUNDING_MS, endedAt + ROUNDING_MS + TICK_MS]));
  const { createdAt, readyAt, endedAt } = lived;
  const startAndStop = readyAt - createdAt + (endedAt - deletedAt);
  expect(inUse).toBeGreaterThanOrEqual(must);
  expect(inUse).toBeLessThanOrEqual(may + startAndStop);

  // Time alive, from the container's life: a minimum instance costs the idle price whenever it is not in use.
  expect(inUse + idle).toBeGreaterThanOrEqual(deletedAt - readyAt);
  expect(inUse + idle).toBeLessThanOrEqual(endedAt - createdAt + TICK_MS + ROUNDING_MS);

  // The price page's arithmetic, to the last digit: pico-dollars per vCPU-second, GiB-second and million requests.
  const due: readonly [Meter, price: bigint, unit: bigint][] = [
    ['cpu', 24_000_000n, 1_000_000n],
    ['memory', 2_500_000n, 1_024_000n],
    ['cpu_idle', 2_500_000n, 1_000_000n],
    ['memory_idle', 2_500_000n, 1_024_000n],
    ['requests', 400_000_000_000n, 1_000_000n],
  ];
  for (const [meter, price, unit] of due) {
    const line = lineOf(costs, meter);
    const twice = BigInt(line?.quantity ?? '0') * price * 2n;
    const billed = parseMoney(line?.exactAmount ?? '0') * unit * 2n;
    // Within half a pico-dollar: what is shown has twelve places.
    expect(billed - twice <= unit && twice - billed <= unit, `${meter}: ${JSON.stringify(line)}`).toBe(true);
  }
});

test('the invoice of that run is exact when it is computed again from raw usage', async () => {
  const invoice = await api.call(OPERATIONS.closePeriod, { params: { project: 'demo' }, body: {} });
  expect(invoice.lines.filter(({ service }) => service === 'billed').length).toBeGreaterThanOrEqual(5);
  await stack.skyrun(['login', '--url', stack.url, '--email', stack.email, '--password-stdin'], `${stack.password}\n`);
  const verified = await stack.skyrun(['billing', 'verify', invoice.number, '--project', 'demo']);
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining(`${invoice.number}: exact`) });
});

async function instances(): Promise<Instance[]> {
  const { items } = await api.call(OPERATIONS.listInstances, { params, query: { all: 'true' } });
  return items;
}

/** The life of an instance in Unix ms, once it is over. The service is gone by then, so its end is in the event log. */
async function ended(id: string): Promise<{ createdAt: number; readyAt: number; endedAt: number } | null> {
  const query = { type: 'skyrun.instance.stopped.v1', limit: 50 };
  const { items } = await api.call(OPERATIONS.listProjectEvents, { params: { project: 'demo' }, query });
  for (const { data } of items) {
    const instance = data as Instance;
    if (instance.id !== id || instance.readyAt === undefined || instance.endedAt === undefined) continue;
    return {
      createdAt: Date.parse(instance.createdAt),
      readyAt: Date.parse(instance.readyAt),
      endedAt: Date.parse(instance.endedAt),
    };
  }
  return null;
}

/** Live cost once the service's lines have not changed for a while: all of its usage has arrived. */
async function settled(): Promise<CostReport> {
  const own = (report: CostReport) => JSON.stringify(report.lines.filter(({ service }) => service === 'billed'));
  let before = '';
  let since = systemClock.monotonic();
  return poll(async () => {
    const report = await api.call(OPERATIONS.getCosts, { params: { project: 'demo' } });
    if (own(report) !== before) {
      before = own(report);
      since = systemClock.monotonic();
    }
    return systemClock.monotonic() - since > 6_000 && before !== '[]' ? report : undefined;
  });
}

function lineOf(report: CostReport, meter: Meter): CostReport['lines'][number] | undefined {
  return report.lines.find((line) => line.service === 'billed' && line.meter === meter);
}

/** Length of the union of spans, in ms; written here again so that it shares nothing with what it checks. */
function union(spans: readonly (readonly [start: number, end: number])[]): number {
  let length = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const [start, end] of [...spans].sort(([a], [b]) => a - b)) {
    length += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return length;
}

async function poll<Found>(look: () => Promise<Found | undefined>): Promise<Found> {
  const until = systemClock.monotonic() + 120_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (systemClock.monotonic() > until) throw new Error('waited for two minutes');
    await systemClock.sleep(500);
  }
}
