import { describe, expect, test } from 'vitest';
import { createBatcher } from './batcher.ts';

function recorder(options: { largest?: number; fail?: (items: readonly number[]) => Error | undefined } = {}) {
  const batches: (readonly number[])[] = [];
  const batcher = createBatcher<number>({
    largest: options.largest ?? 100,
    async handle(items) {
      batches.push(items);
      await new Promise((resolve) => setImmediate(resolve));
      const error = options.fail?.(items);
      if (error) throw error;
    },
    blamesItem: (error) => error instanceof RangeError,
  });
  return { batcher, batches };
}

describe('a batcher', () => {
  test('joins what comes while a batch is handled, and never more than the largest', async () => {
    const { batcher, batches } = recorder({ largest: 3 });
    const first = batcher.add(1);
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([first, ...[2, 3, 4, 5, 6].map((item) => batcher.add(item))]);
    expect(batches).toEqual([[1], [2, 3, 4], [5, 6]]);
    await batcher.add(7);
    expect(batches.at(-1)).toEqual([7]);
  });

  test('a bad item fails alone', async () => {
    const { batcher } = recorder({ fail: (items) => (items.includes(2) ? new RangeError('bad') : undefined) });
    const results = await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('trouble of the store fails the whole batch at once, and the next one is tried', async () => {
    let down = true;
    const { batcher, batches } = recorder({ fail: () => (down ? new Error('down') : undefined) });
    const results = await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(batches).toEqual([[1, 2, 3]]);
    down = false;
    await batcher.add(4);
    await batcher.idle();
  });
});
