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

/** Looks once a second; `active` by second. */
function watch(trim: ReturnType<typeof createHeapTrim>, seconds: number, active: (second: number) => number, from = 0) {
  for (let second = from; second < from + seconds; second += 1) trim.look(active(second), second * 1000);
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
  watch(trim, 6, () => 7);
  expect(collected()).toBe(0);
  watch(trim, 300, () => 7, 6);
  expect(collected()).toBe(1);
});

test('a heap that has hardly grown is left alone, and one that grows again waits a while', () => {
  const heap = { held: 60, used: 40 };
  const { trim, collected } = trimOf(heap);
  watch(trim, 10, () => 0);
  expect(collected()).toBe(1);
  heap.held = 23;
  watch(trim, 100, () => 1, 10);
  expect(collected()).toBe(1);
  heap.held = 60;
  watch(trim, 10, () => 2, 110);
  expect(collected()).toBe(2);
  heap.held = 60;
  watch(trim, 9, () => 3, 120);
  expect(collected()).toBe(2);
  watch(trim, 20, () => 3, 129);
  expect(collected()).toBe(3);
});

test('without --expose-gc nothing is done', () => {
  const trim = createHeapTrim({ collect: null, size: () => ({ used: 40 * MIB, held: 60 * MIB }) });
  trim.now();
  watch(trim, 30, () => 0);
});
