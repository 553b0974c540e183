import { seededRandom as numbersOf } from '@skyrun/kit';

/** A stream of numbers that a seed decides: the same seed injects the same faults in the same order. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** Whole, from `least` to `most`, both included. */
  between(least: number, most: number): number;
  pick<Item>(items: readonly Item[]): Item;
}

export function seededRandom(seed: number): Random {
  const next = numbersOf(seed);
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    pick(items) {
      const item = items[between(0, items.length - 1)];
      if (item === undefined) throw new RangeError('there is nothing to pick from');
      return item;
    },
  };
}
