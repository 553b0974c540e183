import { BILLED_TICK_MS, type Meter } from '@skyrun/contracts';
import type { InstanceTotal } from '../aggregate/measure.ts';
import { compareSlots, type Slot } from '../aggregate/slot.ts';
import type { PriceBook } from '../prices/price-book.ts';
import type { BillingMode, PriceList } from '../prices/price-list.ts';

/** A quantity to be priced. */
export interface Quantity {
  readonly slot: Slot;
  readonly service: string;
  readonly mode: BillingMode;
  readonly meter: Meter;
  /** In the meter's unit, see METER_UNITS. */
  readonly amount: bigint;
  readonly usageRows: number;
}

/**
 * What is priced of each total. Request-based: time while the instance starts, serves and stops, idle time of minimum
 * instances, requests. Instance-based: the life time, rounded up and at least `minimumSeconds` once per instance. Both:
 * paused time, egress.
 *
 * @param nameOf what is kept apart, in place of the service: analytics price finer parts by the same rules.
 */
export function quantitiesOf(
  totals: readonly InstanceTotal[],
  prices: PriceBook,
  nameOf: (total: InstanceTotal) => string = ({ service }) => service,
): Quantity[] {
  const sums = new Map<string, { -readonly [Field in keyof Quantity]: Quantity[Field] }>();
  const add = (total: InstanceTotal, meter: Meter, amount: bigint, usageRows: number) => {
    const { slot, billingMode: mode } = total;
    const service = nameOf(total);
    const key = `${slot.ordinal}|${slot.late}|${slot.month}|${slot.priceList}|${service}|${mode}|${meter}`;
    const sum = sums.get(key);
    if (sum) {
      sum.amount += amount;
      sum.usageRows += usageRows;
    } else sums.set(key, { slot, service, mode, meter, amount, usageRows });
  };
  for (const total of totals) {
    const cpu = BigInt(total.cpuMilli);
    const memory = BigInt(total.memoryMib);
    add(total, 'egress', BigInt(total.bytesOut), total.requestRows);
    add(total, 'cpu_paused', BigInt(total.pausedMs) * cpu, total.lifetimeRows);
    add(total, 'memory_paused', BigInt(total.pausedMs) * memory, total.lifetimeRows);
    if (total.billingMode === 'instance') continue;
    add(total, 'cpu', BigInt(total.busyMs) * cpu, total.requestRows);
    add(total, 'memory', BigInt(total.busyMs) * memory, total.requestRows);
    add(total, 'requests', BigInt(total.requests), total.requestRows);
    add(total, 'cpu_idle', BigInt(total.idleMs) * cpu, total.lifetimeRows);
    add(total, 'memory_idle', BigInt(total.idleMs) * memory, total.lifetimeRows);
  }
  for (const { total, ms } of billableLifetimes(totals, prices)) {
    add(total, 'cpu', BigInt(ms) * BigInt(total.cpuMilli), total.lifetimeRows);
    add(total, 'memory', BigInt(ms) * BigInt(total.memoryMib), total.lifetimeRows);
  }
  return [...sums.values()].filter((sum) => sum.amount !== 0n);
}

/** Milliseconds of a life, up to the next full tick. */
function roundUp(ms: number): number {
  return Math.ceil(ms / BILLED_TICK_MS) * BILLED_TICK_MS;
}

/** Raises each instance's whole life to the minimum; the slot in which the instance first lived bears the difference. */
function billableLifetimes(
  totals: readonly InstanceTotal[],
  prices: PriceBook,
): { total: InstanceTotal; ms: number }[] {
  const minimumOf = (list: PriceList, ms: number) =>
    ms > 0 ? Math.max(roundUp(ms), list.instance.minimumSeconds * 1000) : ms;
  const livedMs = new Map<string, number>();
  return totals
    .filter((total) => total.billingMode === 'instance' && total.lifetimeRows + total.aliveMs !== 0)
    .toSorted((a, b) => compareSlots(a.slot, b.slot))
    .map((total) => {
      const list = prices.byId(total.slot.priceList);
      const key = `${total.instanceId}|${total.revisionName}|${total.service}|${total.cpuMilli}|${total.memoryMib}`;
      const before = livedMs.get(key) ?? 0;
      const after = before + total.aliveMs;
      livedMs.set(key, after);
      return { total, ms: minimumOf(list, after) - minimumOf(list, before) };
    });
}
