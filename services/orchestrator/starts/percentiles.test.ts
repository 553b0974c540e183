import type { StartPhases } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { startPercentilesOf } from './percentiles.ts';

const start = (phases: Partial<StartPhases>, kind: 'created' | 'resumed' = 'created') => ({
  kind,
  phases: { createMs: 0, startMs: 0, probeMs: 0, ...phases },
});

test('each kind of start is counted apart, in the order of the ladder', () => {
  const found = startPercentilesOf([start({ startMs: 12 }, 'resumed'), start({ createMs: 8, startMs: 230 })]);
  expect(found.map(({ kind, starts }) => [kind, starts])).toEqual([
    ['created', 1],
    ['resumed', 1],
  ]);
});

test('percentiles are figures that were measured, by nearest rank', () => {
  const found = startPercentilesOf(Array.from({ length: 100 }, (_, index) => start({ startMs: index + 1 })));
  const [row] = found[0]?.phases ?? [];
  expect(row).toEqual({ phase: 'start', count: 100, p50Ms: 50, p95Ms: 95, p99Ms: 99, maxMs: 100 });
});

test('a phase that only some starts had counts those only, and the total takes what each had', () => {
  const found = startPercentilesOf([start({ queueMs: 4, startMs: 10, firstByteMs: 6 }), start({ startMs: 30 })]);
  const phases = new Map(found[0]?.phases.map((row) => [row.phase, row]));
  expect(phases.get('queue')).toMatchObject({ count: 1, p50Ms: 4 });
  expect(phases.get('firstByte')).toMatchObject({ count: 1, maxMs: 6 });
  expect(phases.get('total')).toMatchObject({ count: 2, p50Ms: 20, maxMs: 30 });
  expect(phases.has('create')).toBe(false);
});

test('without starts there is nothing to tell', () => {
  expect(startPercentilesOf([])).toEqual([]);
});
