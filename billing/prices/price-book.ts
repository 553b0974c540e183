import { type PriceList, PriceListError } from './price-list.ts';

/** Every known version of every price list. */
export interface PriceBook {
  /** The version of list `name` in force at `atMs`; before the first version, the first. */
  at(name: string, atMs: number): PriceList;
  /** A version by its id; throws PriceListError on an unknown one. */
  byId(id: string): PriceList;
  /** All versions, by name and then by date. */
  all(): readonly PriceList[];
}

/** Older versions first; of one date, as versions of different lists may be, in an order that never changes. */
export function byAge(a: PriceList, b: PriceList): number {
  return a.effectiveFromMs - b.effectiveFromMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

export function createPriceBook(lists: readonly PriceList[]): PriceBook {
  const byId = new Map<string, PriceList>();
  const byName = new Map<string, PriceList[]>();
  for (const list of lists) {
    if (byId.has(list.id)) throw new PriceListError(`${list.id} is defined twice`);
    byId.set(list.id, list);
    byName.set(list.name, [...(byName.get(list.name) ?? []), list]);
  }
  for (const [name, versions] of byName) {
    versions.sort((a, b) => a.effectiveFromMs - b.effectiveFromMs);
    const [first] = versions;
    const other = versions.find(
      (version) => version.currency !== first?.currency || version.minorUnitPlaces !== first.minorUnitPlaces,
    );
    if (other) throw new PriceListError(`${other.id}: a list keeps its currency; give list ${name} another name`);
  }
  return {
    at(name, atMs) {
      const versions = byName.get(name) ?? [];
      const found = versions.findLast((version) => version.effectiveFromMs <= atMs) ?? versions[0];
      if (!found) {
        throw new PriceListError(`there is no price list ${name}; there are: ${[...byName.keys()].join(', ')}`);
      }
      return found;
    },
    byId(id) {
      const found = byId.get(id);
      if (!found) throw new PriceListError(`there is no price list ${id}`);
      return found;
    },
    all: () => [...byName.keys()].sort().flatMap((name) => byName.get(name) ?? []),
  };
}
