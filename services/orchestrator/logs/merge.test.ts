import { expect, test } from 'vitest';
import { createMerge } from './merge.ts';

async function* count(from: number, to: number) {
  for (let value = from; value <= to; value += 1) yield value;
}

async function* failing(): AsyncIterable<number> {
  yield 1;
  throw new Error('the source broke');
}

async function read(merge: AsyncIterable<number>, many: number): Promise<number[]> {
  const found: number[] = [];
  for await (const value of merge) {
    found.push(value);
    if (found.length === many) break;
  }
  return found;
}

test('sources keep their order, and one may join later', async () => {
  const merge = createMerge<number>();
  merge.add(count(1, 3));
  expect(await read(merge, 3)).toEqual([1, 2, 3]);
  merge.add(count(4, 5));
  expect(await read(merge, 2)).toEqual([4, 5]);
});

test('more than fits waits, and nothing is lost', async () => {
  const merge = createMerge<number>();
  merge.add(count(1, 5000));
  const found = await read(merge, 5000);
  expect(found).toEqual(Array.from({ length: 5000 }, (_, index) => index + 1));
});

test('it goes on when a source ends, and ends when told', async () => {
  const merge = createMerge<number>();
  merge.add(count(1, 1));
  const reading = read(merge, 99);
  await new Promise((resolve) => setImmediate(resolve));
  merge.end();
  expect(await reading).toEqual([1]);
});

test('a source that breaks breaks it, after what was read', async () => {
  const merge = createMerge<number>();
  merge.add(failing());
  await expect(read(merge, 99)).rejects.toThrow('the source broke');
});
