import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBatcher } from './batcher.ts';

class Away extends Error {}

/** A store that takes a turn of the loop for each write, and refuses what it is told to. */
function store({ poison = [], away = () => false }: { poison?: number[]; away?: () => boolean } = {}) {
  const batches: number[][] = [];
  const batcher = createBatcher<number>({
    maxItems: 10,
    isTransient: (error) => error instanceof Away,
    async write(items) {
      await new Promise((resolve) => setImmediate(resolve));
      batches.push([...items]);
      if (away()) throw new Away('away');
      if (items.some((item) => poison.includes(item))) throw new Error('poison');
    },
  });
  return { batches, add: (items: number[]) => Promise.allSettled(items.map((item) => batcher.add(item))) };
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('batcher', () => {
  it('writes a lone item at once', async () => {
    const { batches, add } = store();
    await add([7]);
    expect(batches).toEqual([[7]]);
  });

  it('gathers what comes together, bounded, in order', async () => {
    const { batches, add } = store();
    await add(upTo(25));
    expect(batches.map((batch) => batch.length)).toEqual([10, 10, 5]);
    expect(batches.flat()).toEqual(upTo(25));
  });

  it('gathers what comes while a write is under way', async () => {
    const { batches, add } = store();
    const first = add([0]);
    await Promise.resolve();
    await Promise.resolve();
    const second = add([1, 2, 3]);
    await Promise.all([first, second]);
    expect(batches).toEqual([[0], [1, 2, 3]]);
  });

  it('keeps a bad item from its neighbours', async () => {
    const { add } = store({ poison: [3] });
    const results = await add(upTo(6));
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual([true, true, true, false, true, true]);
  });

  it('does not try one by one when the store is away, and works when it is back', async () => {
    let away = true;
    const { batches, add } = store({ away: () => away });
    const results = await add(upTo(5));
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(batches).toHaveLength(1);
    away = false;
    expect((await add([9]))[0]?.status).toBe('fulfilled');
  });

  it('settles every item by its own worth, in order, for any arrival', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 15 }), { maxLength: 6 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 3 }),
        async (groups, poison) => {
          const { add } = store({ poison });
          const results = await Promise.all(groups.map(add));
          groups.forEach((items, group) => {
            items.forEach((item, index) => {
              expect(results[group]?.[index]?.status).toBe(poison.includes(item) ? 'rejected' : 'fulfilled');
            });
          });
        },
      ),
      { numRuns: 30 },
    );
  });
});
