import type { CostLine } from '@skyrun/contracts';
import { PRICED_UNITS } from '../prices/price-list.ts';

/** A line's quantity in the unit that its price is for, e.g. `4,000,000.5` vCPU-seconds; half-even to `places`. */
export function pricedQuantity(line: Pick<CostLine, 'quantity' | 'pricedUnit'>, places: number): string {
  const unit = Object.values(PRICED_UNITS).find(({ label }) => label === line.pricedUnit);
  if (!unit) return line.quantity;
  const quantity = BigInt(line.quantity);
  const absolute = quantity < 0n ? -quantity : quantity;
  const scale = 10n ** BigInt(places);
  const scaled = absolute * scale;
  const twice = (scaled % unit.size) * 2n;
  const floor = scaled / unit.size;
  const rounded = twice > unit.size || (twice === unit.size && floor % 2n === 1n) ? floor + 1n : floor;
  const fraction = (rounded % scale).toString().padStart(places, '0').replace(/0+$/, '');
  const text = groupThousands((rounded / scale).toString()) + (fraction === '' ? '' : `.${fraction}`);
  return quantity < 0n && rounded !== 0n ? `-${text}` : text;
}

/** `1234567.89` as `1,234,567.89`. */
export function groupThousands(amount: string): string {
  const [whole = '', fraction] = amount.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
