import { silentLogger, systemClock } from '@skyrun/kit';
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { Acknowledgements } from './acknowledgements.ts';

/** Remembers what it was told; `fails` of its first answers are errors. */
function recorder(fails = 0) {
  const told: string[][] = [];
  let failures = fails;
  const redis: Pick<Redis, 'xack' | 'xdel'> = {
    xack: async (...given: unknown[]) => {
      if (failures-- > 0) throw new Error('away');
      told.push(given.slice(2).map(String));
      return given.length - 2;
    },
    xdel: async () => 0,
  };
  const removed = () => false;
  const acknowledgements = new Acknowledgements({
    redis,
    group: 'g',
    clock: systemClock,
    logger: silentLogger,
    most: 3,
    removed,
  });
  return { told, acknowledgements };
}

test('what comes in one turn goes in one command', async () => {
  const { told, acknowledgements } = recorder();
  for (const id of ['1', '2']) await acknowledgements.add('s', id);
  await acknowledgements.flush();
  expect(told).toEqual([['1', '2']]);
});

test('nobody has to ask for it', async () => {
  const { told, acknowledgements } = recorder();
  await acknowledgements.add('s', '1');
  await expect.poll(() => told).toEqual([['1']]);
});

test('a reader takes it along, and what comes meanwhile waits for its answer', async () => {
  const { told, acknowledgements } = recorder();
  await acknowledgements.add('s', '1');
  const lent = acknowledgements.lend('s');
  expect(lent?.ids).toEqual(['1']);
  await acknowledgements.add('s', '2');
  expect(acknowledgements.lend('s')).toBeNull();
  await systemClock.sleep(10);
  expect(told).toEqual([]);
  lent?.settled(true);
  await acknowledgements.flush();
  expect(told).toEqual([['2']]);
});

test('what a reader could not deliver is sent before what came after it', async () => {
  const { told, acknowledgements } = recorder(1);
  await acknowledgements.add('s', '1');
  const lent = acknowledgements.lend('s');
  await acknowledgements.add('s', '2');
  lent?.settled(false);
  await acknowledgements.flush();
  expect(told).toEqual([['1', '2']]);
});

test('whoever adds too many waits, and is let go when the rest is dropped', async () => {
  const { told, acknowledgements } = recorder(Number.POSITIVE_INFINITY);
  await acknowledgements.add('s', '1');
  const flushed = acknowledgements.flush();
  await systemClock.sleep(5);
  const waiting = ['2', '3', '4'].map((id) => acknowledgements.add('s', id));
  expect(waiting.map((wait) => wait !== undefined)).toEqual([false, false, true]);
  acknowledgements.drop();
  await Promise.all([flushed, ...waiting]);
  expect(told).toEqual([]);
});
