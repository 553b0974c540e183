import { expect, it } from 'vitest';
import { seededRandom } from './random.ts';

const series = (seed: number) => {
  const random = seededRandom(seed);
  return Array.from({ length: 1_000 }, () => random.between(3, 7));
};

it('says the same again for the same seed, and something else for another', () => {
  expect(series(5)).toEqual(series(5));
  expect(series(5)).not.toEqual(series(6));
});

it('reaches both ends and nothing beyond', () => {
  const drawn = new Set(series(1));
  expect([...drawn].sort()).toEqual([3, 4, 5, 6, 7]);
});

it('refuses to pick from nothing', () => {
  expect(() => seededRandom(1).pick([])).toThrow(RangeError);
});
