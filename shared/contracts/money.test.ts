import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatMoney, PICO_PER_UNIT, parseMoney, roundHalfEven } from './money.ts';

test.each([
  ['0.000024', 24_000_000n],
  ['-1.5', -1_500_000_000_000n],
  ['104.20', 104_200_000_000_000n],
  ['0.000000000001', 1n],
])('%s is %s pico units', (text, pico) => {
  expect(parseMoney(text)).toBe(pico);
});

test.each(['', '1.', '.5', '1e3', '1.0000000000001', 'NaN', '1,5', '+1'])('%j is not an amount', (text) => {
  expect(() => parseMoney(text)).toThrow(RangeError);
});

test.each([
  ['0.005', '0.00'],
  ['0.015', '0.02'],
  ['0.025', '0.02'],
  ['0.0251', '0.03'],
  ['-0.015', '-0.02'],
  ['-0.005', '0.00'],
  ['2.675', '2.68'],
])('%s rounds half-even to %s', (text, rounded) => {
  expect(formatMoney(roundHalfEven(parseMoney(text)))).toBe(rounded);
});

test('format and parse are inverse', () => {
  fc.assert(fc.property(fc.bigInt(), (pico) => parseMoney(formatMoney(pico)) === pico));
});

test('rounding moves an amount by at most half a cent', () => {
  fc.assert(
    fc.property(fc.bigInt(), (pico) => {
      const moved = roundHalfEven(pico) - pico;
      const half = PICO_PER_UNIT / 200n;
      expect(moved >= -half && moved <= half).toBe(true);
    }),
  );
});
