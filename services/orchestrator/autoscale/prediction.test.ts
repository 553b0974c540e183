import { expect, test } from 'vitest';
import { addSample, predictedFloor, SAMPLE_MS, type Trend } from './prediction.ts';

const after = (demands: readonly number[]) =>
  demands.reduce<Trend | null>((trend, demand, index) => addSample(trend, demand, index * SAMPLE_MS), null);
const rising = Array.from({ length: 20 }, (_, index) => index * 5);

test('growing demand sets a floor above what is needed now', () => {
  const floor = predictedFloor(after(rising), 10);
  expect(floor?.want).toBeGreaterThan(Math.ceil(95 / 10));
  expect(floor?.want).toBeLessThanOrEqual(20);
});

test.each([
  ['nothing known', []],
  ['too little known', rising.slice(0, 7)],
  ['steady demand', new Array(30).fill(40)],
  ['falling demand', rising.toReversed()],
])('%s sets none', (_, demands) => {
  expect(predictedFloor(after(demands), 10)).toBeNull();
});

test('a leap is not trusted beyond twice what was seen', () => {
  expect(predictedFloor(after([...new Array(10).fill(0), 100, 1000]), 10)?.value).toBeLessThanOrEqual(2000);
});
