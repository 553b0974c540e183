import { formatMoney, parseMoney } from '@skyrun/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { moneyParts, moneyText } from './money.ts';
import { billedQuantity, bytesText, figure, millisText } from './quantity.ts';
import { agoText, spanText } from './time.ts';

test.each([
  ['0', 'USD', '$0.00'],
  ['0.000024', 'USD', '$0.000024'],
  ['1234567.5', 'EUR', '€1,234,567.50'],
  ['-0.03', 'USD', '−$0.03'],
  ['12.340000', 'XYZ', 'XYZ 12.34'],
])('%s %s reads %s', (amount, currency, text) => {
  expect(moneyText(amount, currency)).toBe(text);
});

test('no digit of any amount is lost or invented', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), (pico) => {
      const { sign, whole, minor, rest } = moneyParts(formatMoney(pico), 'USD');
      const back = `${sign === '' ? '' : '-'}${whole.replaceAll(',', '')}.${minor}${rest}`;
      expect(parseMoney(back)).toBe(pico);
    }),
  );
});

test.each([
  ['1500000', 'mvcpu_ms', '1.5 vCPU‑s'],
  ['1023', 'mvcpu_ms', '0.001 vCPU‑s'],
  ['0', 'mib_ms', '0 GiB‑s'],
  ['524288000', 'mib_ms', '512 GiB‑s'],
  ['99999999999999999999', 'requests', '99,999,999,999,999,999,999 requests'],
  ['3145728', 'bytes', '3 MiB'],
  ['a few', 'spoons', 'a few spoons'],
])('%s %s is billed as %s', (quantity, unit, text) => {
  expect(billedQuantity(quantity, unit)).toBe(text);
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.00 KiB'],
  [11_534_336, '11.0 MiB'],
  [5 * 1024 ** 5, '5120.0 TiB'],
])('%i bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

test.each([
  [null, '–'],
  [0, '0'],
  [0.5, '0.5'],
  [9.999, '10'],
  [20.04, '20'],
  [123.4, '123'],
  [12_345, '12,345'],
])('the figure %s reads %s', (value, text) => {
  expect(figure(value)).toBe(text);
});

test.each([
  [null, '–'],
  [12.34, '12.3 ms'],
  [1500, '1.5 s'],
])('%s ms read %s', (ms, text) => {
  expect(millisText(ms)).toBe(text);
});

test.each([
  [0, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [7_200_000, '2 h'],
  [200_000_000, '2 d'],
])('%i ms span %s', (ms, text) => {
  expect(spanText(ms)).toBe(text);
});

test.each([
  [0, 'just now'],
  [-5000, 'just now'],
  [61_000, '1 min ago'],
])('%i ms later it was %s', (later, text) => {
  const at = Date.parse('2026-01-01T00:00:00.000Z');
  expect(agoText('2026-01-01T00:00:00.000Z', at + later)).toBe(text);
});
