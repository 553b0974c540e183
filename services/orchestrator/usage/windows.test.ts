import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newRecord } from '../reconcile/records.ts';
import { desiredOf } from '../testing/desired.ts';
import { lifetimeUsage } from './draft.ts';
import { lastBoundary, USAGE_WINDOW_MS, usageWindows } from './windows.ts';

test.each([
  { from: 5_000, until: 5_000, expected: [] },
  { from: 9_000, until: 5_000, expected: [] },
  { from: 5_000, until: 7_000, expected: [[5_000, 7_000]] },
  { from: 10_000, until: 20_000, expected: [[10_000, 20_000]] },
  {
    from: 5_000,
    until: 31_000,
    expected: [
      [5_000, 10_000],
      [10_000, 20_000],
      [20_000, 30_000],
      [30_000, 31_000],
    ],
  },
])('from $from until $until', ({ from, until, expected }) => {
  expect(usageWindows(from, until).map(({ start, end }) => [start, end])).toEqual(expected);
});

test('cut anywhere and gone on with, the windows cover the same time once, with unique starts', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 100_000 }),
      fc.array(fc.integer({ min: 0, max: 50_000 }), { maxLength: 10 }),
      (from, lengths) => {
        let at = from;
        const all = lengths.flatMap((length) => {
          const part = usageWindows(at, at + length);
          at += length;
          return part;
        });
        expect(all.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(at - from);
        expect(new Set(all.map(({ start }) => start)).size).toBe(all.length);
        for (const { start, end } of all) {
          expect(end).toBeGreaterThan(start);
          expect(lastBoundary(end - 1)).toBe(lastBoundary(start));
          expect(end - start).toBeLessThanOrEqual(USAGE_WINDOW_MS);
        }
      },
    ),
  );
});

test('a life is cut where the instance became ready and where it was told to stop', () => {
  const made = newRecord(desiredOf(), { instanceId: 'ins_1', node: 'here', now: 0 });
  const record = { ...made, startedAt: 1_000, readyAt: 4_000, usageUntil: 1_000 };
  const states = (
    of: typeof record | (Omit<typeof record, 'readyAt'> & { readyAt: null }),
    until: number,
    stop: number | null,
  ) =>
    lifetimeUsage(of, until, false, stop).map(({ data }) => [
      data.state,
      Date.parse(data.windowStart),
      Date.parse(data.windowEnd),
      data.key,
    ]);
  expect(states(record, 12_500, 12_000)).toEqual([
    ['starting', 1_000, 4_000, 'lifetime/ins_1/1000'],
    ['running', 4_000, 10_000, 'lifetime/ins_1/4000'],
    ['running', 10_000, 12_000, 'lifetime/ins_1/10000'],
    ['stopping', 12_000, 12_500, 'lifetime/ins_1/12000'],
  ]);
  expect(states({ ...record, readyAt: null }, 3_000, null)).toEqual([
    ['starting', 1_000, 3_000, 'lifetime/ins_1/1000'],
  ]);
});
