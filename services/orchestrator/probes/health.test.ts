import { expect, test } from 'vitest';
import { countAnswer, type Health } from './health.ts';

const thresholds = { failureThreshold: 3, successThreshold: 2 };

function after(answers: string, well = true): boolean {
  const start: Health = { well, failures: 0, successes: 0 };
  return [...answers].reduce((health, answer) => countAnswer(health, answer === '+', thresholds), start).well;
}

test.each([
  ['', true],
  ['--', true],
  ['---', false],
  ['--+--', true],
  ['--+---', false],
  ['---+', false],
  ['---++', true],
  ['---+-++', true],
  ['---+-+', false],
])('after %s it is well: %s', (answers, well) => {
  expect(after(answers)).toBe(well);
});

test('one that was unwell before stays so until it succeeds often enough', () => {
  expect([after('+', false), after('++', false)]).toEqual([false, true]);
});
