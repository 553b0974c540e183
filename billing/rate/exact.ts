/**
 * An unrounded amount of money: a bigint count of 10⁻¹² ÷ EXACT_SCALE of the currency. The scale is divisible by
 * every priced unit (10⁶ mvCPU·ms, 1024 × 10³ MiB·ms, 10⁶ requests, 2³⁰ bytes), so quantity × price never rounds;
 * and twice more by 10⁶, so that a discount of four decimals of such an amount does not round either, nor a tax on that.
 */
export const EXACT_SCALE = (1n << 42n) * 5n ** 18n;

/** @param unitSize how many quantity units make one priced unit. */
export function exactAmount(quantity: bigint, pricePico: bigint, unitSize: bigint): bigint {
  if (EXACT_SCALE % unitSize !== 0n)
    throw new RangeError(`EXACT_SCALE is not divisible by a priced unit of ${unitSize}`);
  return quantity * pricePico * (EXACT_SCALE / unitSize);
}

/** Half-even to `places` decimals of the currency, in pico units; 12 places for showing what is not rounded. */
export function roundExact(exact: bigint, places: number): bigint {
  const unit = EXACT_SCALE * 10n ** BigInt(12 - places);
  const negative = exact < 0n;
  const absolute = negative ? -exact : exact;
  const quotient = absolute / unit;
  const twice = (absolute % unit) * 2n;
  const up = twice > unit || (twice === unit && quotient % 2n === 1n);
  const rounded = (up ? quotient + 1n : quotient) * 10n ** BigInt(12 - places);
  return negative ? -rounded : rounded;
}

/** Whole pico units as an exact amount. */
export function exactOf(pico: bigint): bigint {
  return pico * EXACT_SCALE;
}
