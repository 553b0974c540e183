/** Several endless sources as one, in order of arrival; sources may join while it is read. */
export interface Merge<Item> extends AsyncIterable<Item> {
  add(source: AsyncIterable<Item>): void;
  /** Ends the merge; the sources are ended by their own signal. */
  end(error?: unknown): void;
}

/** Beyond it sources wait: a reader that is slow must not fill the memory. */
const MOST_WAITING = 1_000;

export function createMerge<Item>(): Merge<Item> {
  const waiting: Item[] = [];
  let ended = false;
  let failure: unknown;
  let wakeReader: () => void = () => undefined;
  let wakeSources: () => void = () => undefined;
  let room: Promise<void> = Promise.resolve();

  async function pump(source: AsyncIterable<Item>): Promise<void> {
    for await (const item of source) {
      if (ended) return;
      waiting.push(item);
      wakeReader();
      if (waiting.length < MOST_WAITING) continue;
      room = new Promise((resolve) => {
        wakeSources = resolve;
      });
      await room;
    }
  }

  const end = (error?: unknown) => {
    ended = true;
    failure ??= error;
    wakeReader();
    wakeSources();
  };

  return {
    add(source) {
      pump(source).catch(end);
    },
    end,
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const item = waiting.shift();
        if (item !== undefined) {
          if (waiting.length < MOST_WAITING / 2) wakeSources();
          yield item;
          continue;
        }
        if (failure !== undefined) throw failure;
        if (ended) return;
        await new Promise<void>((resolve) => {
          wakeReader = resolve;
        });
      }
    },
  };
}
