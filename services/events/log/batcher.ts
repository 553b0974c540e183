export interface Batcher<Item> {
  /** Resolves when the item is written. Rejects when it could not be, which says nothing about its neighbours. */
  add(item: Item): Promise<void>;
}

export interface BatcherOptions<Item> {
  readonly maxItems: number;
  /** All or nothing. */
  readonly write: (items: readonly Item[]) => Promise<void>;
  /** Whether an error concerns the store rather than an item: then items are not tried one by one. */
  readonly isTransient: (error: unknown) => boolean;
}

interface Entry<Item> {
  readonly item: Item;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: what comes while a write is under way goes into the next one. No timer, so a lone item waits for
 * nothing; under load the batches grow by themselves. One write at a time, in order of arrival.
 */
export function createBatcher<Item>({ maxItems, write, isTransient }: BatcherOptions<Item>): Batcher<Item> {
  let waiting: Entry<Item>[] = [];
  let writing = false;

  async function flush(): Promise<void> {
    writing = true;
    // Lets everything that arrives in this turn of the loop join the first batch.
    await Promise.resolve();
    while (waiting.length > 0) {
      const entries = waiting.slice(0, maxItems);
      waiting = waiting.slice(maxItems);
      await writeEntries(entries);
    }
    writing = false;
  }

  async function writeEntries(entries: readonly Entry<Item>[]): Promise<void> {
    try {
      await write(entries.map((entry) => entry.item));
      for (const entry of entries) entry.resolve();
    } catch (error) {
      if (entries.length === 1 || isTransient(error)) {
        for (const entry of entries) entry.reject(error);
        return;
      }
      // One bad item must not keep its neighbours out.
      for (const entry of entries) await writeEntries([entry]);
    }
  }

  return {
    add(item) {
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        // Never rejects: each entry carries its own outcome.
        if (!writing) void flush();
      });
    },
  };
}
