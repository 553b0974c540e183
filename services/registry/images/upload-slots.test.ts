import { Problem } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { createUploadSlots } from './upload-slots.ts';

test('one project never takes the last place, and gets its own back when an upload ends', () => {
  const slots = createUploadSlots(3);
  const first = slots.take('greedy');
  slots.take('greedy');
  expect(() => slots.take('greedy')).toThrow(Problem);
  const other = slots.take('other');
  expect(() => slots.take('third')).toThrow(/Too many uploads are in progress/);
  other();
  first();
  first();
  slots.take('greedy');
  expect(() => slots.take('greedy')).toThrow(/of this project/);
  slots.take('third');
});

test('the only place goes to anybody', () => {
  const slots = createUploadSlots(1);
  const giveBack = slots.take('one');
  expect(() => slots.take('two')).toThrow(Problem);
  giveBack();
  slots.take('two');
});
