import type { Meter } from '@skyrun/contracts';
import type { InstanceTotal } from '../aggregate/measure.ts';
import type { PriceBook } from '../prices/price-book.ts';
import type { BillingMode } from '../prices/price-list.ts';
import { quantitiesOf } from '../rate/quantities.ts';
import { rate } from '../rate/rate.ts';

/** Exact amounts at list price, see EXACT_SCALE. */
export interface Attributed {
  readonly exact: bigint;
  readonly idleExact: bigint;
  readonly requests: number;
}

const IDLE_METERS: ReadonlySet<Meter> = new Set(['cpu_idle', 'memory_idle', 'cpu_paused', 'memory_paused']);

type Group = 'service' | 'revision' | 'instance' | 'day';

/** What a total belongs to; days as Unix ms. */
export const GROUP_KEYS: Record<Group, (total: InstanceTotal) => string> = {
  service: ({ service }) => service,
  revision: ({ service, revisionName }) => `${service}/${revisionName}`,
  instance: ({ service, instanceId }) => `${service}/${instanceId === '' ? '(none)' : instanceId}`,
  day: ({ slot }) => String(slot.day),
};

/**
 * Prices totals group by group, by the rules of the bill. Idle is what minimum instances cost while not busy, and of
 * instance-based ones the share of their life in which they were not busy. Bytes fall into the tiers day by day.
 */
export function attribute(
  totals: readonly InstanceTotal[],
  prices: PriceBook,
  keyOf: (total: InstanceTotal) => string,
): Map<string, Attributed> {
  const groups = new Map<
    string,
    { exact: bigint; idleExact: bigint; requests: number; aliveMs: number; busyMs: number }
  >();
  for (const [key, members] of Map.groupBy(totals, keyOf)) {
    const timed = members.filter((total) => total.billingMode === 'instance');
    groups.set(key, {
      exact: 0n,
      idleExact: 0n,
      requests: members.reduce((sum, total) => sum + total.requests, 0),
      aliveMs: timed.reduce((sum, total) => sum + total.aliveMs, 0),
      busyMs: timed.reduce((sum, total) => sum + total.busyMs, 0),
    });
  }
  // The day leads the name, because tiers fill up in the order of names.
  const nameOf = (total: InstanceTotal) => `${String(total.slot.day).padStart(16, '0')} ${keyOf(total)}`;
  for (const item of rate(quantitiesOf(totals, prices, nameOf), prices)) {
    const group = groups.get(item.service.slice(17));
    if (!group) continue;
    group.exact += item.exact;
    if (IDLE_METERS.has(item.meter)) group.idleExact += item.exact;
    if (item.mode === 'instance' && (item.meter === 'cpu' || item.meter === 'memory') && group.aliveMs > group.busyMs) {
      group.idleExact += (item.exact * BigInt(group.aliveMs - group.busyMs)) / BigInt(group.aliveMs);
    }
  }
  return new Map([...groups].map(([key, { exact, idleExact, requests }]) => [key, { exact, idleExact, requests }]));
}

export interface ModeComparison {
  readonly service: string;
  readonly mode: BillingMode;
  readonly exact: bigint;
  readonly otherMode: BillingMode;
  readonly otherExact: bigint;
}

/**
 * The same usage in the other billing mode, per service. Only where life times were measured of every instance that
 * was busy, as instance-based billing is for life time; and only for a service that kept to one mode.
 */
export function compareModes(totals: readonly InstanceTotal[], prices: PriceBook): ModeComparison[] {
  return [...Map.groupBy(totals, ({ service }) => service)].flatMap(([service, members]) => {
    const [first] = members;
    if (!first || members.some(({ billingMode }) => billingMode !== first.billingMode)) return [];
    const alive = new Set(members.filter(({ aliveMs }) => aliveMs > 0).map(({ instanceId }) => instanceId));
    if (members.some(({ busyMs, instanceId }) => busyMs > 0 && !alive.has(instanceId)) || alive.size === 0) return [];
    const otherMode: BillingMode = first.billingMode === 'request' ? 'instance' : 'request';
    const other = members.map((total) => ({ ...total, billingMode: otherMode }));
    const sum = (list: readonly InstanceTotal[]) =>
      rate(quantitiesOf(list, prices), prices).reduce((total, item) => total + item.exact, 0n);
    return [{ service, mode: first.billingMode, exact: sum(members), otherMode, otherExact: sum(other) }];
  });
}
