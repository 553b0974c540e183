import { expect, test } from 'vitest';
import { HeadMemory } from './head-memory.ts';

test('heads that never come again are soon remembered only now and then, and all of them once one has', () => {
  const memory = new HeadMemory<string>();
  const wanted = (count: number) => Array.from({ length: count }, () => memory.wants()).filter((each) => each).length;
  expect(wanted(8)).toBe(8);
  expect(wanted(320)).toBe(10);
  memory.recognised();
  expect(wanted(8)).toBe(8);
});
