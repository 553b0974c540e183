import { exactOf, roundExact } from '../rate/exact.ts';

/**
 * Rounds each part half-even once, then moves whole minor units onto the parts whose rounding lost (or won) most,
 * until the parts add up to `total` (pico units, a whole number of minor units). Ties go to the earlier part.
 *
 * With `total` within one minor unit of the exact sum, no part moves by more than one unit.
 */
export function roundParts(exactParts: readonly bigint[], total: bigint, places: number): bigint[] {
  const unit = 10n ** BigInt(12 - places);
  const rounded = exactParts.map((part) => roundExact(part, places));
  let drift = (total - rounded.reduce((sum, part) => sum + part, 0n)) / unit;
  if (drift === 0n) return rounded;
  const step = drift > 0n ? 1n : -1n;
  const order = exactParts
    .map((part, index) => ({ index, lost: (part - exactOf(rounded[index] ?? 0n)) * step }))
    .sort((a, b) => (a.lost === b.lost ? a.index - b.index : a.lost > b.lost ? -1 : 1));
  if (order.length === 0) throw new RangeError('an amount cannot be spread over no parts');
  for (let turn = 0; drift !== 0n; turn += 1) {
    const index = order[turn % order.length]?.index ?? 0;
    rounded[index] = (rounded[index] ?? 0n) + step * unit;
    drift -= step;
  }
  return rounded;
}
