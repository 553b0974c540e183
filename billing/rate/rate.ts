import { meter as anyMeter } from '@skyrun/contracts';
import type { PriceBook } from '../prices/price-book.ts';
import { PRICED_UNITS, type PricedUnit, type PriceList } from '../prices/price-list.ts';
import { exactAmount } from './exact.ts';
import type { Quantity } from './quantities.ts';

/** A quantity with its price and its exact amount. */
export interface RatedQuantity extends Quantity {
  readonly pricePico: bigint;
  readonly pricedUnit: PricedUnit;
  /** See EXACT_SCALE. */
  readonly exact: bigint;
}

const GIB = 1n << 30n;

/**
 * Prices quantities. All of an account's usage of the months concerned must be given, earlier periods' too,
 * because egress tiers count by calendar month; each quantity is priced in the tier it falls into.
 */
export function rate(quantities: readonly Quantity[], prices: PriceBook): RatedQuantity[] {
  const sent = new Map<number, bigint>();
  return [...quantities].sort(compareQuantities).flatMap((quantity) => {
    const list = prices.byId(quantity.slot.priceList);
    if (quantity.meter === 'egress') {
      const from = sent.get(quantity.slot.month) ?? 0n;
      sent.set(quantity.slot.month, from + quantity.amount);
      return rateEgress(quantity, from, list);
    }
    const { pricePico, pricedUnit } = priceOf(list, quantity);
    return [rated(quantity, quantity.amount, pricePico, pricedUnit)];
  });
}

/** The price of all but egress, which has tiers. Throws RangeError for what has no price in the mode. */
export function priceOf(
  list: PriceList,
  { mode, meter }: Pick<Quantity, 'mode' | 'meter'>,
): { pricePico: bigint; pricedUnit: PricedUnit } {
  if (meter === 'cpu_paused' || meter === 'memory_paused') {
    const { cpu, memory } = list.paused ?? { cpu: list.request.cpu_idle, memory: list.request.memory_idle };
    const { price, per } = meter === 'cpu_paused' ? cpu : memory;
    return { pricePico: price, pricedUnit: per };
  }
  if (mode === 'instance' && (meter === 'cpu' || meter === 'memory')) {
    return { pricePico: list.instance[meter].price, pricedUnit: list.instance[meter].per };
  }
  if (mode === 'request' && meter !== 'egress') {
    return { pricePico: list.request[meter].price, pricedUnit: list.request[meter].per };
  }
  throw new RangeError(`${meter} has no price in ${mode}-based billing`);
}

/** Cuts bytes at the tiers' ends, the month's first `from` bytes being spent already. */
function rateEgress(quantity: Quantity, from: bigint, list: PriceList): RatedQuantity[] {
  const pieces: RatedQuantity[] = [];
  const until = from + quantity.amount;
  let begin = 0n;
  for (const tier of list.egress) {
    const end = tier.upToGib === undefined ? until : BigInt(tier.upToGib) * GIB;
    const low = begin > from ? begin : from;
    const high = end < until ? end : until;
    if (high > low) pieces.push(rated(quantity, high - low, tier.price, 'gib'));
    begin = end;
  }
  return pieces;
}

function rated(quantity: Quantity, amount: bigint, pricePico: bigint, pricedUnit: PricedUnit): RatedQuantity {
  return {
    ...quantity,
    amount,
    pricePico,
    pricedUnit,
    exact: exactAmount(amount, pricePico, PRICED_UNITS[pricedUnit].size),
  };
}

const METERS = anyMeter.options;

/** One order for tiers and for lines, whatever order the usage came in. */
function compareQuantities(a: Quantity, b: Quantity): number {
  return (
    a.slot.ordinal - b.slot.ordinal ||
    Number(a.slot.late) - Number(b.slot.late) ||
    a.slot.month - b.slot.month ||
    compareText(a.service, b.service) ||
    compareText(b.mode, a.mode) ||
    METERS.indexOf(a.meter) - METERS.indexOf(b.meter) ||
    compareText(a.slot.priceList, b.slot.priceList)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
