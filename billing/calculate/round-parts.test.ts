import { PICO_PER_UNIT, parseMoney } from '@skyrun/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EXACT_SCALE, exactOf, roundExact } from '../rate/exact.ts';
import { roundParts } from './round-parts.ts';

const CENT = PICO_PER_UNIT / 100n;
const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);

describe('rounding half-even', () => {
  test.each([
    ['0.005', '0.00'],
    ['0.015', '0.02'],
    ['0.025', '0.02'],
    ['-0.005', '0.00'],
    ['-0.015', '-0.02'],
    ['0.0050000001', '0.01'],
    ['0.0149999999', '0.01'],
  ])('%s becomes %s', (exact, expected) => {
    expect(roundExact(exactOf(parseMoney(exact)), 2)).toBe(parseMoney(expected));
  });

  test('what lies below 10⁻¹² breaks a tie', () => {
    expect(roundExact(exactOf(parseMoney('0.005')) + 1n, 2)).toBe(CENT);
    expect(roundExact(exactOf(parseMoney('0.015')) - 1n, 2)).toBe(CENT);
  });
});

describe('drift', () => {
  test('goes to the part whose rounding lost most', () => {
    const parts = ['0.004', '0.0043', '0.0042'].map((text) => exactOf(parseMoney(text)));
    expect(roundParts(parts, CENT, 2)).toEqual([0n, CENT, 0n]);
  });

  test('of half-cent ties goes to the earlier part', () => {
    const parts = ['0.005', '0.005', '0.005', '0.005'].map((text) => exactOf(parseMoney(text)));
    expect(roundParts(parts, 2n * CENT, 2)).toEqual([CENT, CENT, 0n, 0n]);
  });

  test('rounding never loses or creates a unit, and no part moves by more than one', () => {
    const exact = fc.oneof(
      fc.bigInt(-(10n ** 34n), 10n ** 34n),
      // Halves of a cent and their neighbours, where rounding rules differ.
      fc.tuple(fc.bigInt(-1000n, 1000n), fc.bigInt(-1n, 1n)).map(([n, e]) => (n * CENT * EXACT_SCALE) / 2n + e),
    );
    fc.assert(
      fc.property(fc.array(exact, { minLength: 1, maxLength: 30 }), (parts) => {
        const total = roundExact(sum(parts), 2);
        const rounded = roundParts(parts, total, 2);
        expect(sum(rounded)).toBe(total);
        rounded.forEach((amount, index) => {
          expect(amount % CENT).toBe(0n);
          const off = exactOf(amount) - (parts[index] ?? 0n);
          expect(off < 2n * CENT * EXACT_SCALE && off > -2n * CENT * EXACT_SCALE).toBe(true);
        });
      }),
      { numRuns: 500 },
    );
  });
});
