import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InstanceMeter, Meter, type MeteredRevision, type WindowUsage } from './meter.ts';

const REVISION: MeteredRevision = {
  project: 'demo',
  service: 'hello',
  serviceId: 'svc',
  revisionId: 'rev',
  revisionName: 'hello-00001',
  billingMode: 'request',
  cpuMilli: 1000,
  memoryMib: 512,
};
const START = 1_700_000_000_000;

function setUp(now = START) {
  const windows: WindowUsage[] = [];
  const active: number[] = [];
  const meter = new Meter({
    now,
    monotonic: 0,
    onWindow: (usages) => windows.push(...usages),
    onActive: (at) => active.push(at),
  });
  return { meter, windows, active, instance: new InstanceMeter(REVISION, 'ins') };
}

/** Busy time as a bill counts it, by the definition: the union in whole ms, each run up to its next full tick. */
function billed(spans: readonly (readonly [number, number])[]): number {
  const whole = spans.map(([from, to]) => [Math.floor(from), Math.ceil(to)] as const).sort((a, b) => a[0] - b[0]);
  let total = 0;
  let run: { start: number; end: number } | null = null;
  const tick = ({ start, end }: { start: number; end: number }) => Math.ceil((end - start) / 100) * 100;
  for (const [from, to] of whole) {
    if (run && from <= run.start + tick(run)) run.end = Math.max(run.end, to);
    else {
      if (run) total += tick(run);
      run = { start: from, end: to };
    }
  }
  return run ? total + tick(run) : total;
}

/** The union of spans, in whole ms. */
function union(spans: readonly (readonly [number, number])[]): number {
  const covered = new Set<number>();
  for (const [from, to] of spans) {
    for (let at = Math.floor(from); at < Math.ceil(to); at += 1) covered.add(at);
  }
  return covered.size;
}

test.each([
  ['request', billed],
  ['instance', union],
] as const)('%s-based busy time is the union of overlapping requests, clipped to windows', (billingMode, expected) => {
  const requests = fc.array(
    // Eighths are exact beside a Unix time in a double.
    fc
      .tuple(fc.nat(32_000), fc.integer({ min: 1, max: 12_000 }))
      .map(([from, length]) => [from / 8, length / 8] as const),
    { minLength: 1, maxLength: 30 },
  );
  fc.assert(
    fc.property(requests, (spans) => {
      const { meter, windows } = setUp();
      const instance = new InstanceMeter({ ...REVISION, billingMode }, 'ins');
      const steps = spans
        .flatMap(([from, length]) => [
          { at: from, begin: true },
          { at: from + length, begin: false },
        ])
        .sort((a, b) => a.at - b.at || Number(b.begin) - Number(a.begin));
      for (const { at, begin } of steps) {
        if (begin) meter.begin(instance, at);
        else meter.end(instance, at, 200);
      }
      meter.finish(7000, START + 7000);
      const intervals = spans.map(([from, length]) => [from, from + length] as const);
      expect(windows.reduce((sum, one) => sum + one.busyMs, 0)).toBe(expected(intervals));
      expect(windows.reduce((sum, one) => sum + one.requests, 0)).toBe(spans.length);
      for (const one of windows) {
        expect(one.busy.length).toBeLessThanOrEqual(1000);
        let last = one.windowStart;
        for (const [from, to] of one.busy) {
          expect(from).toBeGreaterThanOrEqual(last);
          expect(to).toBeGreaterThan(from);
          last = to;
        }
        expect(last).toBeLessThanOrEqual(one.windowEnd);
      }
      const keys = windows.map((one) => `${one.clockRun}/${one.windowStart}`);
      expect(new Set(keys).size).toBe(keys.length);
    }),
    { numRuns: 300 },
  );
});

test.each([
  { name: 'is rounded up to a tick', spans: [[100, 130]], busy: [[100, 200]] },
  { name: 'of whole ticks stays as it is', spans: [[100, 500]], busy: [[100, 500]] },
  {
    name: 'shares the tick with one that comes in it',
    spans: [
      [100, 130],
      [150, 190],
    ],
    busy: [[100, 200]],
  },
  {
    name: 'goes on with ticks of the first',
    spans: [
      [100, 130],
      [150, 220],
    ],
    busy: [[100, 300]],
  },
  {
    name: 'after the tick begins its own',
    spans: [
      [100, 130],
      [250, 260],
    ],
    busy: [
      [100, 200],
      [250, 350],
    ],
  },
  {
    name: 'has its tick in the next window',
    spans: [[970, 990]],
    busy: [
      [970, 1000],
      [1000, 1070],
    ],
  },
])('a request $name', ({ spans, busy }) => {
  const { meter, windows, instance } = setUp();
  for (const [from = 0, to = 0] of spans) {
    meter.begin(instance, from);
    meter.end(instance, to, 200);
  }
  meter.finish(5000, START + 5000);
  expect(windows.flatMap((one) => one.busy.map(([from, to]) => [from - START, to - START]))).toEqual(busy);
  expect(windows.reduce((sum, one) => sum + one.requests, 0)).toBe(spans.length);
});

test('a request over several windows is busy in each, and counts where it ends', () => {
  const { meter, windows, instance } = setUp();
  meter.begin(instance, 500);
  meter.roll(1000, START + 1000);
  meter.roll(2000, START + 2000);
  meter.end(instance, 2250, 503);
  meter.roll(3000, START + 3000);
  expect(windows.map(({ busyMs, requests }) => [busyMs, requests])).toEqual([
    [500, 0],
    [1000, 0],
    [300, 1],
  ]);
  expect(windows[2]?.statusClasses['5xx']).toBe(1);
});

test.each([
  ['forward', 3_600_000],
  ['back', -3_600_000],
])('a clock that is set %s makes no request longer and no key twice', (_, jump) => {
  const { meter, windows, instance } = setUp();
  meter.begin(instance, 100);
  meter.roll(1000, START + 1000);
  meter.roll(2000, START + 2000 + jump);
  meter.end(instance, 2300, 200);
  meter.finish(3000, START + 3000 + jump);
  const busy = windows.reduce((sum, one) => sum + one.busyMs, 0);
  expect(busy).toBeGreaterThanOrEqual(2199);
  expect(busy).toBeLessThanOrEqual(2301);
  const keys = windows.map((one) => `${one.clockRun}/${one.windowStart}`);
  expect(new Set(keys).size).toBe(keys.length);
});

test('becoming active is told once per quiet time', () => {
  const { meter, active, instance } = setUp();
  meter.begin(instance, 100);
  meter.end(instance, 101, 200);
  meter.begin(instance, 200);
  meter.end(instance, 201, 200);
  meter.roll(5000, START + 5000);
  meter.begin(instance, 5100);
  expect(active).toEqual([START + 100, START + 5100]);
});

test('a request that moves to another instance is busy time, and counts where it ends', () => {
  const { meter, windows, instance } = setUp();
  meter.begin(instance, 100);
  meter.end(instance, 200, 0);
  meter.finish(500, START + 500);
  expect(windows).toMatchObject([{ requests: 0, busyMs: 100, statusClasses: { '1xx': 0, '2xx': 0, '5xx': 0 } }]);
});

test('requests that touch are one span', () => {
  const { meter, windows } = setUp();
  const instance = new InstanceMeter({ ...REVISION, billingMode: 'instance' }, 'ins');
  for (const from of [100, 200, 300]) {
    meter.begin(instance, from);
    meter.end(instance, from + 100, 200);
  }
  meter.finish(500, START + 500);
  expect(windows.map(({ busy }) => busy)).toEqual([[[START + 100, START + 400]]]);
});

test('a window that ends in the middle of a tick ends the tick', () => {
  const { meter, windows, instance } = setUp();
  meter.begin(instance, 100);
  meter.end(instance, 130, 200);
  meter.finish(150, START + 150);
  expect(windows).toMatchObject([{ windowEnd: START + 150, busy: [[START + 100, START + 150]] }]);
});

test.each([
  ['in the middle of a tick', 150],
  ['at rest', 500],
])('after the clock was set back %s, a request begins ticks of its own', (_, at) => {
  const { meter, windows, instance } = setUp();
  meter.begin(instance, 100);
  meter.end(instance, 130, 200);
  const back = START - 3_600_000;
  meter.roll(at, back);
  windows.length = 0;
  // 30 ms, 20 ms after the clock was set.
  meter.begin(instance, at + 20);
  meter.end(instance, at + 50, 200);
  meter.finish(at + 500, back + 500);
  expect(windows.flatMap(({ busy }) => busy)).toEqual([[back + 20, back + 120]]);
});

test('windows follow a clock that is set forward at once', () => {
  const { meter, windows, instance } = setUp();
  const ahead = START + 3_600_000;
  meter.roll(100, ahead + 100);
  meter.begin(instance, 200);
  meter.end(instance, 300, 200);
  meter.finish(500, ahead + 500);
  expect(windows).toMatchObject([{ windowStart: ahead, busy: [[ahead + 200, ahead + 300]] }]);
});
