import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('of several that ask at once each has a turn of its own, in order', async () => {
  const turns = new Turns();
  const done: number[] = [];
  for (const which of [1, 2, 3]) void turns.own().then(() => done.push(which));
  const seen: number[] = [];
  for (let count = 0; count < 4; count += 1) {
    await turn();
    seen.push(done.length);
  }
  expect(done).toEqual([1, 2, 3]);
  expect(new Set(seen)).toEqual(new Set([1, 2, 3]));
});

test('who asks after the last had its turn gets one', async () => {
  const turns = new Turns();
  await turns.own();
  await turns.own();
});
