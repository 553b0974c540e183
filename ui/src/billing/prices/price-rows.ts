import type { PublicPriceList } from '@skyrun/contracts';
import { moneyText } from '../../format/money.ts';

export interface PriceRow {
  readonly group: string;
  readonly name: string;
  readonly value: string;
}

/** Every figure of a version, in one order, so that two versions can be laid beside each other. */
export function priceRows(list: PublicPriceList): PriceRow[] {
  const { currency } = list;
  const priced = ({ price, per }: { price: string; per: string }) => `${moneyText(price, currency)} per ${per}`;
  const { request, instance, paused, egress, freeTier, discounts, taxes } = list;
  return [
    { group: 'Request-based', name: 'vCPU while serving', value: priced(request.cpu) },
    { group: 'Request-based', name: 'Memory while serving', value: priced(request.memory) },
    { group: 'Request-based', name: 'vCPU of idle minimum instances', value: priced(request.cpuIdle) },
    { group: 'Request-based', name: 'Memory of idle minimum instances', value: priced(request.memoryIdle) },
    { group: 'Request-based', name: 'Requests', value: priced(request.requests) },
    { group: 'Instance-based', name: 'vCPU', value: priced(instance.cpu) },
    { group: 'Instance-based', name: 'Memory', value: priced(instance.memory) },
    { group: 'Instance-based', name: 'Minimum time', value: `${instance.minimumSeconds} s` },
    ...(paused === undefined
      ? []
      : [
          { group: 'Paused instances', name: 'vCPU', value: priced(paused.cpu) },
          { group: 'Paused instances', name: 'Memory', value: priced(paused.memory) },
        ]),
    ...egress.map(({ upToGib, price }, index) => ({
      group: 'Data sent',
      name: `Tier ${index + 1}, ${upToGib === null ? 'the rest' : `up to ${upToGib.toLocaleString('en-US')} GiB a month`}`,
      value: `${moneyText(price, currency)} per GiB`,
    })),
    ...freeTier.map(({ mode, meter, quantity, price, per }) => ({
      group: 'Free tier, a month',
      name: `${mode}-based ${meter}`,
      value: `${quantity.toLocaleString('en-US')} ${per}${per.endsWith('s') ? '' : 's'} at ${moneyText(price, currency)}`,
    })),
    ...discounts.map(({ name, percent }) => ({ group: 'Discounts', name, value: `${percent} %` })),
    ...(taxes ?? []).map(({ name, percent }) => ({ group: 'Taxes', name, value: `${percent} %` })),
  ];
}

export interface PriceChange extends Omit<PriceRow, 'value'> {
  /** Null where one of the versions does not have it. */
  readonly before: string | null;
  readonly after: string | null;
}

/** What differs between two versions. */
export function priceChanges(before: readonly PriceRow[], after: readonly PriceRow[]): PriceChange[] {
  const keyOf = ({ group, name }: PriceRow) => `${group}|${name}`;
  const old = new Map(before.map((row) => [keyOf(row), row]));
  const fresh = new Set(after.map(keyOf));
  return [
    ...after.flatMap((row) => {
      const was = old.get(keyOf(row))?.value ?? null;
      return was === row.value ? [] : [{ group: row.group, name: row.name, before: was, after: row.value }];
    }),
    ...before
      .filter((row) => !fresh.has(keyOf(row)))
      .map(({ group, name, value }) => ({ group, name, before: value, after: null })),
  ];
}

/** The version in force at `now` (Unix ms) among those of one list, or null. */
export function inForce(versions: readonly PublicPriceList[], now: number): PublicPriceList | null {
  return (
    [...versions]
      .sort((a, b) => Date.parse(b.effectiveFrom) - Date.parse(a.effectiveFrom))
      .find(({ effectiveFrom }) => Date.parse(effectiveFrom) <= now) ?? null
  );
}
