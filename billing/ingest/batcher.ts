export interface Batcher<Item> {
  /** Resolves when the batch that holds the item was handled, rejects when that failed. */
  add(item: Item): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

/**
 * Joins what arrives while a batch is being handled into the next one. A lone item is handled at once; the busier it
 * gets the larger the batches, so no item waits for a timer.
 *
 * A batch that fails because of what is in it is tried item by item, so that one bad item does not hold up the others.
 */
export function createBatcher<Item>(options: {
  readonly largest: number;
  handle(items: readonly Item[]): Promise<void>;
  /** Whether the error lies in an item, rather than in the store. */
  blamesItem(error: unknown): boolean;
}): Batcher<Item> {
  const { largest, handle, blamesItem } = options;
  let waiting: { item: Item; resolve(): void; reject(error: unknown): void }[] = [];
  let running: Promise<void> | undefined;

  const settle = async (batch: typeof waiting) => {
    try {
      await handle(batch.map(({ item }) => item));
      for (const { resolve } of batch) resolve();
      return;
    } catch (error) {
      if (batch.length === 1 || !blamesItem(error)) {
        for (const { reject } of batch) reject(error);
        return;
      }
    }
    for (const one of batch) await settle([one]);
  };

  const drain = async () => {
    // Lets everything that is ready in this turn of the event loop join the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const batch = waiting.slice(0, largest);
      waiting = waiting.slice(largest);
      await settle(batch);
    }
    // In the same turn as the look at `waiting`: an item that comes a turn later would find a drain that has ended.
    running = undefined;
  };

  return {
    add(item) {
      const handled = new Promise<void>((resolve, reject) => {
        waiting.push({ item, resolve, reject });
      });
      running ??= drain();
      return handled;
    },
    async idle() {
      while (running) await running;
    },
  };
}
