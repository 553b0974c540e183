import type { BillingMode } from '../prices/price-list.ts';
import { compareSlots, type Slot, slotKey } from './slot.ts';
import { lengthOf, mergeSpans, type Span } from './spans.ts';

/** A usage row of one project, with the slot it counts for. */
export interface MeasurableRow {
  readonly slot: Slot;
  readonly kind: 'requests' | 'lifetime';
  readonly service: string;
  readonly revisionName: string;
  readonly instanceId: string;
  readonly billingMode: BillingMode;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly windowEnd: number;
  readonly requests: number;
  readonly bytesOut: number;
  readonly busy: readonly Span[];
  readonly minInstance: boolean;
  /** Of a lifetime row: what the instance did. */
  readonly state: 'starting' | 'running' | 'paused' | 'stopping';
}

/** What one instance used in one slot. The times can be negative where late usage corrects an earlier slot. */
export interface InstanceTotal {
  readonly slot: Slot;
  readonly service: string;
  readonly revisionName: string;
  readonly instanceId: string;
  readonly billingMode: BillingMode;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  /** Union of busy spans over all gateways, and of the time in which the instance started and stopped. */
  readonly busyMs: number;
  /** Kept alive by minScale, neither busy nor paused. */
  readonly idleMs: number;
  /** Existed and was not paused. */
  readonly aliveMs: number;
  /** Frozen. */
  readonly pausedMs: number;
  readonly requests: number;
  readonly bytesOut: number;
  readonly requestRows: number;
  readonly lifetimeRows: number;
  readonly usageUntil: number;
}

const AMOUNTS = [
  'busyMs',
  'idleMs',
  'aliveMs',
  'pausedMs',
  'requests',
  'bytesOut',
  'requestRows',
  'lifetimeRows',
] as const;

/**
 * Measures usage. Order and split of rows make no difference; a row must not be there twice (the store sees to it).
 *
 * A time that rows of several slots cover counts for the first of these slots only: slot k gets
 * |union of slots ≤ k| − |union of slots < k|. So the slots' sum is the union of all, however they were cut.
 */
export function measure(rows: readonly MeasurableRow[]): InstanceTotal[] {
  return [...groupBy(rows, instanceKey).values()].flatMap(measureInstance);
}

function measureInstance(rows: readonly MeasurableRow[]): InstanceTotal[] {
  const slots = [...groupBy(rows, (row) => slotKey(row.slot)).values()].sort((a, b) =>
    a[0] && b[0] ? compareSlots(a[0].slot, b[0].slot) : 0,
  );
  const totals: InstanceTotal[] = [];
  let busy: Span[] = [];
  let alive: Span[] = [];
  let reserved: Span[] = [];
  let paused: Span[] = [];
  let busyMs = 0;
  let idleMs = 0;
  let aliveMs = 0;
  let pausedMs = 0;
  for (const slotRows of slots) {
    const [first] = slotRows;
    if (!first) continue;
    const spansOf = (wanted: (row: MeasurableRow) => boolean) =>
      slotRows.filter(wanted).flatMap((row) => [...row.busy]);
    const awake = (row: MeasurableRow) => row.kind === 'lifetime' && row.state !== 'paused';
    busy = mergeSpans([...busy, ...spansOf((row) => row.kind === 'requests' || startsOrStops(row))]);
    alive = mergeSpans([...alive, ...spansOf(awake)]);
    reserved = mergeSpans([...reserved, ...spansOf((row) => awake(row) && row.minInstance)]);
    paused = mergeSpans([...paused, ...spansOf((row) => row.kind === 'lifetime' && row.state === 'paused')]);
    const busyThen = lengthOf(busy);
    const aliveThen = lengthOf(alive);
    const used = mergeSpans([...busy, ...alive]);
    const pausedThen = lengthOf(mergeSpans([...paused, ...used])) - lengthOf(used);
    const idleThen = lengthOf(mergeSpans([...reserved, ...busy])) - busyThen;
    // Requests that no instance answered cost nothing; their rows are kept and counted all the same.
    const answered = first.instanceId === '' ? [] : slotRows;
    totals.push({
      slot: first.slot,
      service: first.service,
      revisionName: first.revisionName,
      instanceId: first.instanceId,
      billingMode: first.billingMode,
      cpuMilli: first.cpuMilli,
      memoryMib: first.memoryMib,
      busyMs: first.instanceId === '' ? 0 : busyThen - busyMs,
      idleMs: idleThen - idleMs,
      aliveMs: aliveThen - aliveMs,
      pausedMs: pausedThen - pausedMs,
      requests: answered.reduce((sum, row) => sum + row.requests, 0),
      bytesOut: answered.reduce((sum, row) => sum + row.bytesOut, 0),
      requestRows: slotRows.filter((row) => row.kind === 'requests').length,
      lifetimeRows: slotRows.filter((row) => row.kind === 'lifetime').length,
      usageUntil: slotRows.reduce((latest, row) => Math.max(latest, row.windowEnd), 0),
    });
    busyMs = busyThen;
    idleMs = idleThen;
    aliveMs = aliveThen;
    pausedMs = pausedThen;
  }
  return totals;
}

function startsOrStops(row: MeasurableRow): boolean {
  return row.kind === 'lifetime' && (row.state === 'starting' || row.state === 'stopping');
}

/** Adds a total to the one of the same instance and slot. */
export function addTotal(totals: Map<string, InstanceTotal>, total: InstanceTotal): void {
  const key = totalKey(total);
  const old = totals.get(key);
  if (!old) {
    totals.set(key, total);
    return;
  }
  const sum = { ...old, usageUntil: Math.max(old.usageUntil, total.usageUntil) };
  for (const amount of AMOUNTS) sum[amount] = old[amount] + total[amount];
  totals.set(key, sum);
}

/** `after − before`, without what did not change. */
export function totalsDifference(before: readonly InstanceTotal[], after: readonly InstanceTotal[]): InstanceTotal[] {
  const rest = new Map(before.map((total) => [totalKey(total), total]));
  const differences: InstanceTotal[] = [];
  for (const total of after) {
    const key = totalKey(total);
    const old = rest.get(key);
    rest.delete(key);
    const difference = { ...total };
    for (const amount of AMOUNTS) difference[amount] = total[amount] - (old?.[amount] ?? 0);
    if (AMOUNTS.some((amount) => difference[amount] !== 0)) differences.push(difference);
  }
  for (const gone of rest.values()) {
    const difference = { ...gone };
    for (const amount of AMOUNTS) difference[amount] = 0 - gone[amount];
    differences.push(difference);
  }
  return differences;
}

function instanceKey(row: Omit<InstanceTotal, (typeof AMOUNTS)[number] | 'slot' | 'usageUntil'>): string {
  return `${row.service}|${row.revisionName}|${row.instanceId}|${row.billingMode}|${row.cpuMilli}|${row.memoryMib}`;
}

function totalKey(total: InstanceTotal): string {
  return `${slotKey(total.slot)}|${instanceKey(total)}`;
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
