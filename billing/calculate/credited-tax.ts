/** Amounts in pico units of the currency. */
export interface TaxedTotal {
  readonly total: bigint;
  /** Part of `total`. */
  readonly tax: bigint;
}

/**
 * How much tax lies in taking back `amount` of an invoice of which `before` was taken back already: what the tax on all
 * that is taken back grows by. So the parts of any credit notes add up to the tax on their sum, and a whole invoice
 * taken back takes back exactly its tax.
 *
 * @param total above zero
 * @param places of the minor unit; half-even, once
 */
export function creditedTax({ total, tax }: TaxedTotal, before: bigint, amount: bigint, places: number): bigint {
  const unit = 10n ** BigInt(12 - places);
  const until = (credited: bigint) => divideHalfEven(tax * credited, total * unit) * unit;
  return until(before + amount) - until(before);
}

/** @param divisor above zero */
function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const negative = dividend < 0n;
  const absolute = negative ? -dividend : dividend;
  const quotient = absolute / divisor;
  const twice = (absolute % divisor) * 2n;
  const up = twice > divisor || (twice === divisor && quotient % 2n === 1n);
  const rounded = up ? quotient + 1n : quotient;
  return negative ? -rounded : rounded;
}
