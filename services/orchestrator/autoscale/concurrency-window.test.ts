import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConcurrencyWindow } from './concurrency-window.ts';

const START = 1_700_000_000_000;

describe('a window of 60 s', () => {
  test('knows nothing before anything was measured', () => {
    expect(new ConcurrencyWindow(60_000).average(START, 60_000)).toBeNull();
  });

  test('averages over what was measured while it is not full', () => {
    const window = new ConcurrencyWindow(60_000);
    for (let second = 0; second < 10; second += 1) window.add(START + second * 1000, START + second * 1000 + 1000, 8);
    expect(window.average(START + 10_000, 60_000)).toBeCloseTo(8);
  });

  test('several gateways add up', () => {
    const window = new ConcurrencyWindow(60_000);
    window.add(START, START + 1000, 3);
    window.add(START, START + 1000, 4);
    expect(window.average(START + 1000, 6000)).toBeCloseTo(7);
  });

  test('silence counts as none', () => {
    const window = new ConcurrencyWindow(60_000);
    window.add(START, START + 30_000, 10);
    expect(window.average(START + 60_000, 60_000)).toBeCloseTo(5);
    expect(window.average(START + 90_500, 60_000)).toBe(0);
  });

  test('a burst leaves the panic window before the stable one', () => {
    const window = new ConcurrencyWindow(60_000);
    window.add(START, START + 1000, 60);
    expect(window.average(START + 20_000, 6000)).toBe(0);
    expect(window.average(START + 20_000, 60_000)).toBeCloseTo(3);
  });

  test('reports that come a moment late do not lower the mean', () => {
    const window = new ConcurrencyWindow(60_000);
    for (let second = 0; second < 6; second += 1) window.add(START + second * 1000, START + second * 1000 + 1000, 10);
    expect(window.average(START + 6900, 6000)).toBeCloseTo(10);
  });

  test('a report of a time that the window has left says nothing', () => {
    const window = new ConcurrencyWindow(60_000);
    window.add(START, START + 1000, 0);
    window.add(START + 99_000, START + 100_000, 0);
    window.add(START, START + 1000, 600);
    expect(window.average(START + 100_000, 60_000)).toBe(0);
  });

  test('under a second of measurement is no crowd', () => {
    const window = new ConcurrencyWindow(60_000);
    window.add(START, START + 10, 100);
    expect(window.average(START + 10, 6000)).toBeCloseTo(1);
  });
});

test('steady load reads as itself, however the reports are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 50, max: 1500 }), { minLength: 20, maxLength: 120 }),
      fc.integer({ min: 1, max: 500 }),
      (lengths, level) => {
        const window = new ConcurrencyWindow(60_000);
        let at = START;
        for (const length of lengths) {
          window.add(at, at + length, level);
          at += length;
        }
        fc.pre(at - START >= 1000);
        expect(window.average(at, 6000)).toBeCloseTo(level, 4);
      },
    ),
  );
});
