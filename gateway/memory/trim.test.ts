import { expect, test } from 'vitest';
import { createHeapTrim, type HeapSize } from './trim.ts';

const MIB = 1_048_576;

/** A heap that holds `held` MiB, of which a collection leaves 20. */
function trimOf(heap: { held: number; used: number }) {
  let collected = 0;
  const size = (): HeapSize => ({ used: heap.used * MIB, held: heap.held * MIB });
  const trim = createHeapTrim({
    size,
    collect: () => {
      collected += 1;
      heap.held = 20;
    },
  });
  return { trim, collected: () => collected };
}

/** Looks once a second; `activity` by second. */
function watch(
  trim: ReturnType<typeof createHeapTrim>,
  seconds: number,
  activity: (second: number) => number,
  from = 0,
  busy = false,
) {
  for (let second = from; second < from + seconds; second += 1) {
    trim.look({ activity: activity(second), busy }, second * 1000);
  }
}

test('at the start, what loading left is let go', () => {
  const { trim, collected } = trimOf({ held: 60, used: 40 });
  trim.now();
  expect(collected()).toBe(1);
});

test('a heap that takes long to collect is left to V8', () => {
  const { trim, collected } = trimOf({ held: 400, used: 300 });
  trim.now();
  watch(trim, 30, () => 0);
  expect(collected()).toBe(0);
});

test('while clients ask for anything, nothing halts the gateway', () => {
  const { trim, collected } = trimOf({ held: 60, used: 40 });
  watch(trim, 300, (second) => Math.floor(second / 5));
  expect(collected()).toBe(0);
});

test('once it is quiet, it is done once', () => {
  const heap = { held: 60, used: 40 };
  const { trim, collected } = trimOf(heap);
  watch(trim, 12, () => 7);
  expect(collected()).toBe(0);
  watch(trim, 300, () => 7, 12);
  expect(collected()).toBe(1);
});

test('a request that takes long is not quiet', () => {
  const { trim, collected } = trimOf({ held: 60, used: 40 });
  watch(trim, 100, () => 7, 0, true);
  expect(collected()).toBe(0);
});

test('a heap that has hardly grown is left alone, and one that grows again waits a while', () => {
  const heap = { held: 60, used: 40 };
  const { trim, collected } = trimOf(heap);
  watch(trim, 13, () => 0);
  expect(collected()).toBe(1);
  heap.held = 23;
  watch(trim, 100, () => 1, 13);
  expect(collected()).toBe(1);
  heap.held = 60;
  watch(trim, 13, () => 2, 113);
  expect(collected()).toBe(2);
  heap.held = 60;
  watch(trim, 14, () => 2, 126);
  expect(collected()).toBe(2);
  watch(trim, 1, () => 2, 140);
  expect(collected()).toBe(3);
});

test('load that comes back soon after it shows that the pause was too short to give anything back', () => {
  const heap = { held: 60, used: 40 };
  const { trim, collected } = trimOf(heap);
  let second = 0;
  let requests = 0;
  /** How long it has to be quiet, in seconds, until the next collection; after `load` requests in a second. */
  const quietFor = (load: number): number => {
    requests += load;
    heap.held = 60;
    const before = collected();
    for (let quiet = 0; quiet < 1000; quiet += 1, second += 1) {
      watch(trim, 1, () => requests, second);
      if (collected() > before) return quiet;
    }
    return Number.NaN;
  };
  expect(quietFor(50_000)).toBe(12);
  expect(quietFor(50_000)).toBe(24);
  expect(quietFor(50_000)).toBe(48);
  // A few requests cost little, whatever was given back.
  expect(quietFor(500)).toBe(48);
  second += 100;
  expect(quietFor(50_000)).toBe(12);
  for (let burst = 0; burst < 10; burst += 1) quietFor(50_000);
  expect(quietFor(50_000)).toBe(300);
});

test('without --expose-gc nothing is done', () => {
  const trim = createHeapTrim({ collect: null, size: () => ({ used: 40 * MIB, held: 60 * MIB }) });
  trim.now();
  watch(trim, 30, () => 0);
});
