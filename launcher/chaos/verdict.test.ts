import { describe, expect, it } from 'vitest';
import { type Effect, holds, judge } from './verdict.ts';

const effect = (subject: string, item: string, sequence: number): Effect => ({ subject, item, sequence });
const acknowledged = [
  { subject: 'a', item: '' },
  { subject: 'a', item: 'x' },
  { subject: 'b', item: '' },
];
const whole = [effect('a', '', 1), effect('b', '', 1), effect('a', 'x', 2)];

describe('the verdict', () => {
  it.each([
    { name: 'everything once and in order', effects: whole, lost: 0, duplicated: 0, disordered: 0 },
    { name: 'one is missing', effects: whole.slice(0, 2), lost: 1, duplicated: 0, disordered: 0 },
    { name: 'one came twice', effects: [...whole, effect('b', '', 2)], lost: 0, duplicated: 1, disordered: 0 },
    {
      name: 'a later one overtook within a subject',
      effects: [effect('a', 'x', 2), effect('a', '', 1), effect('b', '', 1)],
      lost: 0,
      duplicated: 0,
      disordered: 1,
    },
    { name: 'the same event again', effects: [...whole, effect('a', 'x', 2)], lost: 0, duplicated: 1, disordered: 1 },
    {
      name: 'an effect nobody was told of',
      effects: [...whole, effect('c', '', 1)],
      lost: 0,
      duplicated: 0,
      disordered: 0,
    },
  ])('$name', ({ effects, lost, duplicated, disordered }) => {
    const verdict = judge(acknowledged, effects);
    expect(verdict).toMatchObject({ acknowledged: 3, lost, duplicated, disordered });
    expect(holds(verdict)).toBe(lost + duplicated + disordered === 0);
    expect(verdict.examples.length > 0).toBe(!holds(verdict));
  });
});
