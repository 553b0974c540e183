import { z } from 'zod';

/**
 * Money is a bigint count of 10⁻¹² of the currency ("pico units"). On the wire it is a decimal string of the
 * currency, because JSON numbers lose digits. Prices and unrounded amounts use all twelve places; an invoice
 * line is rounded once, half-even, to the currency's minor unit.
 */
export const PICO_PER_UNIT = 1_000_000_000_000n;

export const moneyString = z.string().regex(/^-?\d+(\.\d{1,12})?$/, 'expected a decimal amount such as "0.000024"');

export const currency = z.string().regex(/^[A-Z]{3}$/, 'expected an ISO 4217 code such as "USD"');

/** Parses a decimal amount into pico units, exactly. Throws RangeError on anything that is not one. */
export function parseMoney(text: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,12}))?$/.exec(text);
  if (!match) throw new RangeError(`not a decimal amount with at most 12 places: ${JSON.stringify(text)}`);
  const [, sign, whole = '0', fraction = ''] = match;
  const value = BigInt(whole) * PICO_PER_UNIT + BigInt(fraction.padEnd(12, '0'));
  return sign === '-' ? -value : value;
}

/** Formats pico units as a decimal amount with at least `minPlaces` decimals and no needless zeros after. */
export function formatMoney(pico: bigint, minPlaces = 2): string {
  const negative = pico < 0n;
  const absolute = negative ? -pico : pico;
  const fraction = (absolute % PICO_PER_UNIT).toString().padStart(12, '0');
  const trimmed = fraction.replace(/0+$/, '').padEnd(minPlaces, '0');
  const text = `${absolute / PICO_PER_UNIT}${trimmed === '' ? '' : `.${trimmed}`}`;
  return negative ? `-${text}` : text;
}

/** Rounds half-even to `places` decimals; the result is still in pico units. */
export function roundHalfEven(pico: bigint, places = 2): bigint {
  const unit = 10n ** BigInt(12 - places);
  const negative = pico < 0n;
  const absolute = negative ? -pico : pico;
  const quotient = absolute / unit;
  const twice = (absolute % unit) * 2n;
  const up = twice > unit || (twice === unit && quotient % 2n === 1n);
  const rounded = (up ? quotient + 1n : quotient) * unit;
  return negative ? -rounded : rounded;
}
