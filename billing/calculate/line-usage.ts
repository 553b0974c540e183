import { type CostLine, parseMoney } from '@skyrun/contracts';
import { nextMonthStart } from '../aggregate/slot.ts';
import type { PriceBook } from '../prices/price-book.ts';
import type { BillingMode, PriceList } from '../prices/price-list.ts';
import { priceOf } from '../rate/rate.ts';
import { lateUsageOf, METER_NAMES } from './calculate.ts';

/** Rows count under a mode and a version of a price list. */
export interface LineSource {
  readonly mode: BillingMode;
  readonly priceList: string;
}

/** Which usage rows a line sums up. */
export interface LineUsage {
  readonly service: string;
  /** `serving`: requests, and lifetime rows of a start or a stop. */
  readonly kind: 'requests' | 'lifetime' | 'serving';
  /** For an adjustment, the month (Unix ms) whose late usage it is. */
  readonly late: { readonly from: number; readonly until: number } | null;
  readonly sources: readonly LineSource[];
}

type Line = Pick<CostLine, 'service' | 'meter' | 'description' | 'unitPrice'>;

/**
 * Idle, paused and instance-based time come from life times; all else from requests. Time while serving also counts
 * the start and the stop of an instance, which life times tell.
 */
export function kindOf({ meter, description }: Line): LineUsage['kind'] {
  if (meter === 'requests' || meter === 'egress') return 'requests';
  const serving = METER_NAMES.request[meter];
  if (meter !== 'cpu' && meter !== 'memory') return 'lifetime';
  return serving !== undefined && description.endsWith(serving) ? 'serving' : 'lifetime';
}

/**
 * The rows behind line `index`. A line does not say its mode and price list in so many words: of the sources that its
 * service's rows have, they are those with its name and price. Lines that look alike take them in the order of lines.
 *
 * @param sources what the service's rows of the period count under.
 */
export function lineUsage(
  lines: readonly Line[],
  index: number,
  sources: readonly LineSource[],
  prices: PriceBook,
): LineUsage | null {
  const line = lines[index];
  if (!line) return null;
  const alike = lines
    .slice(0, index)
    .filter(
      (other) =>
        other.service === line.service && other.description === line.description && other.unitPrice === line.unitPrice,
    ).length;
  const fitting = [...sources]
    .filter((source) => fits(line, source.mode, prices.byId(source.priceList)))
    .sort((a, b) => (a.mode === b.mode ? (a.priceList < b.priceList ? -1 : 1) : a.mode === 'request' ? -1 : 1));
  const chosen = fitting[Math.min(alike, fitting.length - 1)];
  return {
    service: line.service,
    kind: kindOf(line),
    late: lateMonth(line.description),
    sources: chosen === undefined ? [] : [chosen],
  };
}

function fits({ meter, description, unitPrice }: Line, mode: BillingMode, list: PriceList): boolean {
  const name = METER_NAMES[mode][meter];
  if (name === undefined || !description.endsWith(name)) return false;
  const price = parseMoney(unitPrice);
  if (meter === 'egress') return list.egress.some((tier) => tier.price === price);
  return priceOf(list, { mode, meter }).pricePico === price;
}

function lateMonth(description: string): LineUsage['late'] {
  const [beginning = '', end = ''] = lateUsageOf('|').split('|');
  if (!description.startsWith(beginning)) return null;
  const month = description.slice(beginning.length, description.indexOf(end, beginning.length));
  const from = Date.parse(`${month}-01T00:00:00Z`);
  return Number.isNaN(from) ? null : { from, until: nextMonthStart(from) };
}
