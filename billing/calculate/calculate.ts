import { METER_UNITS, type Meter } from '@skyrun/contracts';
import type { InstanceTotal } from '../aggregate/measure.ts';
import type { PriceBook } from '../prices/price-book.ts';
import { type BillingMode, PRICED_UNITS } from '../prices/price-list.ts';
import { roundExact } from '../rate/exact.ts';
import { quantitiesOf } from '../rate/quantities.ts';
import { type RatedQuantity, rate } from '../rate/rate.ts';
import { type ExactCredit, freeTierCredits, monthName } from './credits.ts';
import { discountCredits } from './discounts.ts';
import { roundParts } from './round-parts.ts';
import { type ExactTax, taxesOf } from './taxes.ts';

/** Amounts are pico units, rounded to the minor unit; `exact` ones are unrounded, see EXACT_SCALE. */
export interface BillLine {
  readonly meter: Meter;
  readonly service: string;
  readonly description: string;
  readonly quantity: bigint;
  readonly unit: string;
  readonly unitPrice: bigint;
  readonly pricedUnit: string;
  readonly exact: bigint;
  readonly amount: bigint;
  readonly usageRows: number;
}

export interface BillCredit extends ExactCredit {
  readonly amount: bigint;
}

export interface BillTax extends ExactTax {
  readonly amount: bigint;
}

/** Σ lines = subtotal and subtotal + Σ credits + Σ taxes = total, always. */
export interface Bill {
  readonly lines: readonly BillLine[];
  readonly credits: readonly BillCredit[];
  readonly taxes: readonly BillTax[];
  readonly subtotal: bigint;
  readonly total: bigint;
  readonly subtotalExact: bigint;
  /** After credits, before taxes. */
  readonly netExact: bigint;
  readonly totalExact: bigint;
}

export interface CalculateInput {
  /** Totals of this period, of earlier periods in the same months, and of earlier life of the same instances. */
  readonly totals: readonly InstanceTotal[];
  /** The period to bill. */
  readonly ordinal: number;
  readonly prices: PriceBook;
  readonly freeTier: boolean;
  readonly minorUnitPlaces: number;
}

type DraftLine = Omit<BillLine, 'amount'>;

/**
 *   totals ─► quantities ─► rated quantities ─┬─► lines ──────────────┐
 *                                             └─► free tier, discounts ┴─► rounded once, drift spread ─► bill
 */
export function calculate({ totals, ordinal, prices, freeTier, minorUnitPlaces: places }: CalculateInput): Bill {
  const known = totals.filter((total) => total.slot.ordinal <= ordinal);
  const rated = rate(quantitiesOf(known, prices), prices);
  const drafts = draftLines(rated.filter((item) => item.slot.ordinal === ordinal));
  const credits = [
    ...(freeTier ? freeTierCredits(rated, ordinal, prices) : []),
    ...discountCredits(rated, ordinal, prices, freeTier),
  ];
  const subtotalExact = sum(drafts.map((line) => line.exact));
  const netExact = subtotalExact + sum(credits.map((credit) => credit.exact));
  const taxes = taxesOf(rated, ordinal, prices, freeTier);
  const totalExact = netExact + sum(taxes.map((tax) => tax.exact));
  const subtotal = roundExact(subtotalExact, places);
  const net = credits.length === 0 ? subtotal : roundExact(netExact, places);
  const total = taxes.length === 0 ? net : roundExact(totalExact, places);
  const lineAmounts = roundParts(
    drafts.map((line) => line.exact),
    subtotal,
    places,
  );
  const creditAmounts = roundParts(
    credits.map((credit) => credit.exact),
    net - subtotal,
    places,
  );
  const taxAmounts = roundParts(
    taxes.map((tax) => tax.exact),
    total - net,
    places,
  );
  return {
    lines: drafts.map((line, index) => ({ ...line, amount: lineAmounts[index] ?? 0n })),
    credits: credits.map((credit, index) => ({ ...credit, amount: creditAmounts[index] ?? 0n })),
    taxes: taxes.map((tax, index) => ({ ...tax, amount: taxAmounts[index] ?? 0n })),
    subtotal,
    total,
    subtotalExact,
    netExact,
    totalExact,
  };
}

/** Joins what has the same meaning and price; `rated` is in the order of the lines. */
function draftLines(rated: readonly RatedQuantity[]): DraftLine[] {
  const lines = new Map<string, { -readonly [Field in keyof DraftLine]: DraftLine[Field] }>();
  for (const item of rated) {
    const late = item.slot.late ? monthName(item.slot.month) : '';
    const key = `${late}|${item.service}|${item.mode}|${item.meter}|${item.slot.priceList}|${item.pricePico}`;
    const line = lines.get(key);
    if (line) {
      line.quantity += item.amount;
      line.exact += item.exact;
      line.usageRows += item.usageRows;
      continue;
    }
    const name = METER_NAMES[item.mode][item.meter] ?? item.meter;
    lines.set(key, {
      meter: item.meter,
      service: item.service,
      description: late === '' ? name : `${lateUsageOf(late)}${name}`,
      quantity: item.amount,
      unit: METER_UNITS[item.meter],
      unitPrice: item.pricePico,
      pricedUnit: PRICED_UNITS[item.pricedUnit].label,
      exact: item.exact,
      usageRows: item.usageRows,
    });
  }
  return [...lines.values()].filter((line) => line.quantity !== 0n || line.exact !== 0n);
}

/** Begins the description of a line for usage that came after its period was closed; `month` as 2026-01. */
export const lateUsageOf = (month: string): string => `Adjustment for late usage of ${month}: `;

export const METER_NAMES: Record<BillingMode, Partial<Record<Meter, string>>> = {
  request: {
    cpu: 'vCPU while serving requests',
    memory: 'Memory while serving requests',
    cpu_idle: 'vCPU of idle minimum instances',
    memory_idle: 'Memory of idle minimum instances',
    cpu_paused: 'vCPU of paused instances',
    memory_paused: 'Memory of paused instances',
    requests: 'Requests',
    egress: 'Data sent',
  },
  instance: {
    cpu: 'vCPU of running instances',
    memory: 'Memory of running instances',
    cpu_paused: 'vCPU of paused instances',
    memory_paused: 'Memory of paused instances',
    egress: 'Data sent',
  },
};

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
