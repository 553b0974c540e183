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

const SLEEP_MS = 600;
const TICK_MS = 100;
/** The gateway rounds the start of a span down and its end up. */
const ROUNDING_MS = 2;

/** Once in its life, an instance costs at least this long where it is billed by its life. */
const MINIMUM_MS = 60_000;

/** A service that exists for one test, under load, deleted; what it was and what it cost. */
interface Run {
  readonly template: ServiceSpec['template'];
  readonly log: readonly LoggedRequest[];
  readonly life: Life;
  readonly deletedAt: number;
  quantity(meter: Meter): number;
  line(meter: Meter): CostReport['lines'][number] | undefined;
}

async function runOf(service: string, billingMode: 'request' | 'instance', durationMs: number): Promise<Run> {
  const params = { project: 'demo', service };
  const sample = await api.call(OPERATIONS.getService, { params: { project: 'demo', service: 'sample' } });
  const template = {
    ...sample.spec.template,
    billingMode,
    scaling: { ...sample.spec.template.scaling, minScale: 1, maxScale: 1 },
  };
  const body = { name: service, spec: { ...sample.spec, template } };
  await api.call(OPERATIONS.createService, { params: { project: 'demo' }, body });
  const ready = await poll(async () => {
    const { items } = await api.call(OPERATIONS.listInstances, { params, query: { all: 'true' } });
    return items.find(({ state }) => state === 'ready');
  });

  const log: LoggedRequest[] = [];
  const report = await runLoad({
    connect: { host: '127.0.0.1', port: stack.port },
    hostHeader: `${service}.demo.localhost:${stack.port}`,
    path: `/sleep?ms=${SLEEP_MS}`,
    method: 'GET',
    arrivals: steady({ requestsPerSecond: 3, durationMs }),
    timeoutMs: 30_000,
    maxInFlight: 100,
    clock: systemClock,
    onRequest: (request) => log.push(request),
  });
  expect(report).toMatchObject({ failed: 0, notSent: 0 });
  const deletedAt = systemClock.now();
  await api.call(OPERATIONS.deleteService, { params });
  const life = await poll(async () => (await ended(ready.id)) ?? undefined);
  const costs = await settled(service);
  const line = (meter: Meter) => costs.lines.find((one) => one.service === service && one.meter === meter);
  return { template, log, life, deletedAt, line, quantity: (meter) => Number(line(meter)?.quantity ?? '0') };
}

/** The price page's arithmetic, to the last digit: pico-dollars per vCPU-second, GiB-second and million requests. */
function expectPriced({ line }: Run, due: readonly (readonly [Meter, price: bigint, unit: bigint])[]): void {
  for (const [meter, price, unit] of due) {
    const found = line(meter);
    const twice = BigInt(found?.quantity ?? '0') * price * 2n;
    const billed = parseMoney(found?.exactAmount ?? '0') * unit * 2n;
    // Within half a pico-dollar: what is shown has twelve places.
    expect(billed - twice <= unit && twice - billed <= unit, `${meter}: ${JSON.stringify(found)}`).toBe(true);
  }
}

test('a run of load is billed as its own log, its container’s life and the price page say', async () => {
  const run = await runOf('billed', 'request', 12_000);
  const { template, log, life, deletedAt, quantity } = run;
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
  const { createdAt, readyAt, endedAt } = life;
  const startAndStop = readyAt - createdAt + (endedAt - deletedAt);
  expect(inUse).toBeGreaterThanOrEqual(must);
  expect(inUse).toBeLessThanOrEqual(may + startAndStop);

  // Time alive, from the container's life: a minimum instance costs the idle price whenever it is not in use.
  expect(inUse + idle).toBeGreaterThanOrEqual(deletedAt - readyAt);
  expect(inUse + idle).toBeLessThanOrEqual(endedAt - createdAt + TICK_MS + ROUNDING_MS);

  expectPriced(run, [
    ['cpu', 24_000_000n, 1_000_000n],
    ['memory', 2_500_000n, 1_024_000n],
    ['cpu_idle', 2_500_000n, 1_000_000n],
    ['memory_idle', 2_500_000n, 1_024_000n],
    ['requests', 400_000_000_000n, 1_000_000n],
  ]);
});

test('billed by its instances, a run costs the container’s life, a minute at least, and no requests', async () => {
  const run = await runOf('alive', 'instance', 5_000);
  const { template, log, life, deletedAt, quantity, line } = run;
  const { cpuMilli, memoryMib } = template.resources;
  const { createdAt, readyAt, endedAt } = life;
  expect(log.length).toBeGreaterThan(0);

  // In full ticks, and a minute at least: however short its life was, that is exact.
  const inTicks = (ms: number) => Math.ceil(ms / TICK_MS) * TICK_MS;
  const alive = quantity('cpu') / cpuMilli;
  expect(quantity('memory') / memoryMib).toBe(alive);
  expect(alive).toBeGreaterThanOrEqual(Math.max(MINIMUM_MS, inTicks(deletedAt - readyAt)));
  expect(alive).toBeLessThanOrEqual(Math.max(MINIMUM_MS, inTicks(endedAt - createdAt + ROUNDING_MS)));
  expect(alive % TICK_MS).toBe(0);

  // Requests are free, and there is no idle time where all time costs the same.
  for (const meter of ['requests', 'cpu_idle', 'memory_idle'] as const) expect(line(meter)).toBeUndefined();
  expectPriced(run, [
    ['cpu', 18_000_000n, 1_000_000n],
    ['memory', 2_000_000n, 1_024_000n],
  ]);
});

test('the invoice of those runs is exact when it is computed again from raw usage; the next may have other prices', async () => {
  const invoice = await api.call(OPERATIONS.closePeriod, { params: { project: 'demo' }, body: {} });
  expect(invoice.lines.filter(({ service }) => service === 'billed').length).toBeGreaterThanOrEqual(5);
  expect(invoice.lines.filter(({ service }) => service === 'alive').map(({ meter }) => meter)).toEqual(
    expect.arrayContaining(['cpu', 'memory']),
  );
  await stack.skyrun(['login', '--url', stack.url, '--email', stack.email, '--password-stdin'], `${stack.password}\n`);
  const verified = await stack.skyrun(['billing', 'verify', invoice.number, '--project', 'demo']);
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining(`${invoice.number}: exact`) });

  const planned = ['cloud-run-tier-2', '--from', '2099-01-01T00:00:00Z'];
  const changed = await stack.skyrun(['billing', 'price-list', ...planned, '--project', 'demo']);
  expect(changed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^demo: cloud-run-tier-1 /) });
  expect(changed.stdout).toContain('from 2099-01-01T00:00:00.000Z: cloud-run-tier-2');
  const shown = await stack.skyrun(['billing', 'price-list', '--project', 'demo']);
  expect(shown.stdout).toBe(changed.stdout);
});

interface Life {
  readonly createdAt: number;
  readonly readyAt: number;
  readonly endedAt: number;
}

/** The life of an instance in Unix ms, once it is over. The service is gone by then, so its end is in the event log. */
async function ended(id: string): Promise<Life | null> {
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
async function settled(name: string): Promise<CostReport> {
  const own = (report: CostReport) => JSON.stringify(report.lines.filter(({ service }) => service === name));
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
