import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CALM, decide, type ScaleMemory, type ScaleWindow } from './decide.ts';
import type { ScalePolicy } from './policy.ts';
import type { Signal } from './signals.ts';

const NOW = 1_700_000_000_000;
const policy: ScalePolicy = {
  metric: 'concurrency',
  activationScale: 1,
  targets: [],
  schedules: [],
  predictive: false,
  target: 10,
  minScale: 0,
  maxScale: 100,
  stableWindowMs: 60_000,
  panicWindowMs: 6_000,
  panicThreshold: 2,
  maxScaleUpRate: 1000,
  maxScaleDownRate: 2,
  scaleToZeroGraceMs: 30_000,
  scaleDownDelayMs: 0,
};

const busy: ScaleWindow = {
  stable: 0,
  panic: 0,
  ready: 1,
  wanted: 1,
  waiting: false,
  lastActiveAt: NOW,
  settled: true,
  memory: CALM,
  signals: [],
  floors: [],
  changedAt: 0,
};

describe('Knative’s rules', () => {
  test.each([
    { name: 'needs what the target says, rounded up', window: { stable: 95, panic: 95, ready: 10 }, wanted: 10 },
    { name: 'one above the target needs another', window: { stable: 101, panic: 101, ready: 10 }, wanted: 11 },
    { name: 'a float’s dust needs none', window: { stable: 100.0000000001, panic: 100, ready: 10 }, wanted: 10 },
    {
      name: 'panic asks for the panic window’s need',
      window: { stable: 15, panic: 60, ready: 2 },
      wanted: 6,
      panicking: true,
    },
    {
      name: 'below the threshold there is no panic',
      window: { stable: 15, panic: 30, ready: 2 },
      wanted: 2,
      panicking: false,
    },
    { name: 'at the threshold there is', window: { stable: 15, panic: 31, ready: 2 }, wanted: 4, panicking: true },
    {
      name: 'one decision halves at most',
      window: { stable: 1, panic: 1, ready: 20 },
      wanted: 10,
      limiter: 'scaleDownRate',
    },
    {
      name: 'the up rate bounds',
      policy: { maxScaleUpRate: 3 },
      window: { stable: 500, panic: 500, ready: 2 },
      wanted: 6,
      limiter: 'scaleUpRate',
    },
    {
      name: 'the up rate counts from one when none is ready',
      policy: { maxScaleUpRate: 3 },
      window: { stable: 500, panic: 500, ready: 0 },
      wanted: 3,
    },
    {
      name: 'maxScale bounds',
      policy: { maxScale: 5 },
      window: { stable: 500, panic: 500 },
      wanted: 5,
      limiter: 'maxScale',
    },
    {
      name: 'minScale holds up',
      policy: { minScale: 3 },
      window: { lastActiveAt: NOW - 1e6 },
      wanted: 3,
      limiter: 'minScale',
    },
    {
      name: 'a request that waits gets an instance at once',
      window: { ready: 0, wanted: 0, waiting: true, stable: null, panic: null },
      wanted: 1,
      limiter: 'activation',
    },
    {
      name: 'the last one stays for its grace',
      window: { lastActiveAt: NOW - 29_999 },
      wanted: 1,
      limiter: 'scaleToZeroGrace',
    },
    { name: 'and goes after it', window: { lastActiveAt: NOW - 30_000 }, wanted: 0 },
    {
      name: 'not while the stable window remembers a request',
      window: { stable: 0.001, lastActiveAt: NOW - 40_000 },
      wanted: 1,
    },
    { name: 'zero stays zero', window: { ready: 0, wanted: 0 }, wanted: 0 },
    { name: 'ignorance scales nothing down', window: { settled: false, ready: 8, wanted: 8 }, wanted: 8 },
  ])('$name', ({ name: _, policy: change, window, wanted, ...expected }) => {
    expect(decide({ ...policy, ...change }, { ...busy, ...window }, NOW)).toMatchObject({ wanted, ...expected });
  });

  test('panic never scales down, and ends a stable window after its last cause', () => {
    const first = decide(policy, { ...busy, stable: 20, panic: 200 }, NOW);
    expect(first).toMatchObject({ wanted: 20, panicking: true });
    const calm = { ...busy, stable: 30, panic: 10, ready: 20, wanted: 20 };
    const during = decide(policy, { ...calm, memory: first.memory }, NOW + 59_999);
    expect(during).toMatchObject({ wanted: 20, panicking: true, limiter: 'panic' });
    const after = decide(policy, { ...calm, memory: during.memory }, NOW + 60_000);
    expect(after).toMatchObject({ wanted: 10, panicking: false, limiter: 'scaleDownRate' });
    expect(after.memory.panicPeak).toBe(0);
  });

  test('a scale-down waits for its delay', () => {
    const slow = { ...policy, scaleDownDelayMs: 20_000 };
    const high = decide(slow, { ...busy, stable: 40, ready: 4, wanted: 4 }, NOW);
    const low = { ...busy, stable: 30, ready: 4, wanted: 4 };
    const soon = decide(slow, { ...low, memory: high.memory }, NOW + 19_999);
    expect(soon).toMatchObject({ wanted: 4, limiter: 'scaleDownDelay' });
    expect(decide(slow, { ...low, memory: soon.memory }, NOW + 20_000).wanted).toBe(3);
  });
});

describe('the sentence says why', () => {
  test.each([
    {
      window: { stable: 43, panic: 43, wanted: 2, ready: 2 },
      sentence: '2 → 5: concurrency 43 of target 10 per instance, panic',
    },
    {
      window: { stable: 25, panic: 25, wanted: 2, ready: 2 },
      sentence: '2 → 3: concurrency 25 of target 10 per instance',
    },
    { window: { wanted: 0, ready: 0, waiting: true }, sentence: '0 → 1: a request waits and no instance is ready' },
    { window: { lastActiveAt: NOW - 61_000 }, sentence: '1 → 0: no request for 61 s' },
    {
      window: { lastActiveAt: 0, wanted: 0, ready: 0, stable: null, panic: null },
      sentence: '0 → 0: no request so far',
    },
  ])('$sentence', ({ window, sentence }) => {
    expect(decide(policy, { ...busy, ...window }, NOW).sentence).toBe(sentence);
  });
});

const cpu: Signal['target'] = {
  metric: 'cpu',
  target: 60,
  path: '/metrics',
  scaleOutAbove: 1.1,
  scaleInBelow: 0.9,
  scaleOutCooldownSeconds: 0,
  scaleInCooldownSeconds: 60,
};

describe('the highest want wins', () => {
  const hot = { target: cpu, value: 150 };
  test.each([
    { name: 'CPU above what concurrency needs', window: { stable: 15, ready: 2, signals: [hot] }, wanted: 5 },
    { name: 'concurrency above CPU', window: { stable: 90, ready: 2, signals: [hot] }, wanted: 9 },
    {
      name: 'CPU at its target holds what there is',
      window: { stable: 5, ready: 3, signals: [{ target: cpu, value: 60 }] },
      wanted: 3,
    },
    {
      name: 'a schedule’s floor',
      window: { floors: [{ metric: 'schedule', value: 4, target: 4, want: 4, note: '0 8 * * *' }] },
      wanted: 4,
    },
    {
      name: 'never above maxScale',
      policy: { maxScale: 3 },
      window: { stable: 15, ready: 2, signals: [hot] },
      wanted: 3,
    },
    {
      name: 'activation scale where any is needed',
      policy: { activationScale: 3 },
      window: { stable: 5, ready: 1 },
      wanted: 3,
    },
    { name: 'and none where none is', policy: { activationScale: 3 }, window: { lastActiveAt: NOW - 1e6 }, wanted: 0 },
  ])('$name', ({ policy: some = {}, window, wanted }) => {
    expect(decide({ ...policy, ...some }, { ...busy, ...window }, NOW).wanted).toBe(wanted);
  });

  test('the sentence names the metric that asks for most, and each want is kept', () => {
    const verdict = decide(policy, { ...busy, stable: 15, ready: 2, wanted: 2, signals: [hot] }, NOW);
    expect(verdict.sentence).toBe('2 → 5: CPU 150 % of target 60 % per instance');
    expect(verdict.wants).toEqual([
      { metric: 'concurrency', value: 15, target: 10, want: 2 },
      { metric: 'cpu', value: 150, target: 60, want: 5 },
    ]);
    const floors = [{ metric: 'schedule', value: 4, target: 4, want: 4, note: '0 8 * * * in UTC' }];
    expect(decide(policy, { ...busy, floors }, NOW).sentence).toBe(
      '1 → 4: a schedule keeps at least 4 (0 8 * * * in UTC)',
    );
  });
});

const anyPolicy = fc
  .record({
    target: fc.double({ min: 0.01, max: 1000, noNaN: true }),
    minScale: fc.integer({ min: 0, max: 50 }),
    extra: fc.integer({ min: 0, max: 50 }),
    panicThreshold: fc.double({ min: 1.1, max: 10, noNaN: true }),
    scaleDownDelayMs: fc.constantFrom(0, 10_000),
  })
  .map(({ extra, ...some }) => ({ ...policy, ...some, maxScale: Math.max(1, some.minScale + extra) }));

const anyMemory: fc.Arbitrary<ScaleMemory> = fc.record({
  panicAt: fc.option(fc.integer({ min: NOW - 120_000, max: NOW })),
  panicPeak: fc.integer({ min: 0, max: 200 }),
  delayed: fc.constant([]),
});

const anyWindow: fc.Arbitrary<ScaleWindow> = fc.record({
  stable: fc.option(fc.double({ min: 0, max: 10_000, noNaN: true })),
  panic: fc.option(fc.double({ min: 0, max: 10_000, noNaN: true })),
  ready: fc.integer({ min: 0, max: 120 }),
  wanted: fc.integer({ min: 0, max: 120 }),
  waiting: fc.boolean(),
  lastActiveAt: fc.integer({ min: NOW - 100_000, max: NOW }),
  settled: fc.boolean(),
  memory: anyMemory,
  signals: fc.array(
    fc.record({
      target: fc.constantFrom(
        cpu,
        { ...cpu, metric: 'latency' as const },
        { ...cpu, metric: 'custom' as const, name: 'q' },
      ),
      value: fc.option(fc.double({ min: 0, max: 1000, noNaN: true })),
    }),
    { maxLength: 3 },
  ),
  floors: fc.constantFrom([], [{ metric: 'schedule', value: 7, target: 7, want: 7 }]),
  changedAt: fc.integer({ min: NOW - 100_000, max: NOW }),
});

describe('always', () => {
  test('the want is a whole number within min and max', () => {
    fc.assert(
      fc.property(anyPolicy, anyWindow, (some, window) => {
        const { wanted } = decide(some, window, NOW);
        expect(Number.isInteger(wanted)).toBe(true);
        expect(wanted).toBeGreaterThanOrEqual(some.minScale);
        expect(wanted).toBeLessThanOrEqual(some.maxScale);
      }),
    );
  });

  test('more load never wants fewer', () => {
    const load = fc.double({ min: 0, max: 10_000, noNaN: true });
    fc.assert(
      fc.property(anyPolicy, anyWindow, load, load, load, load, (some, window, a, b, c, d) => {
        const low = { ...window, stable: Math.min(a, b), panic: Math.min(c, d) };
        const high = { ...window, stable: Math.max(a, b), panic: Math.max(c, d) };
        expect(decide(some, high, NOW).wanted).toBeGreaterThanOrEqual(decide(some, low, NOW).wanted);
      }),
    );
  });

  test('a waiting request always gets an instance', () => {
    fc.assert(
      fc.property(anyPolicy, anyWindow, (some, window) => {
        expect(decide(some, { ...window, waiting: true }, NOW).wanted).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  test('steady load settles and stays: no flapping', () => {
    fc.assert(
      fc.property(anyPolicy, fc.double({ min: 0.1, max: 3000, noNaN: true }), (some, load) => {
        let memory = CALM;
        let wanted = 0;
        const wants: number[] = [];
        for (let second = 0; second < 300; second += 1) {
          const now = NOW + second * 1000;
          const window = {
            stable: load,
            panic: load,
            ready: wanted,
            wanted,
            waiting: wanted === 0,
            lastActiveAt: now,
            settled: true,
            memory,
            signals: [],
            floors: [],
            changedAt: 0,
          };
          const verdict = decide(some, window, now);
          ({ wanted, memory } = verdict);
          wants.push(wanted);
        }
        const needed = Math.ceil(Math.round(load * 1e6) / 1e6 / some.target);
        const expected = Math.min(Math.max(needed, some.minScale, 1), some.maxScale);
        expect(new Set(wants.slice(-60))).toEqual(new Set([expected]));
      }),
      { numRuns: 50 },
    );
  });
});
