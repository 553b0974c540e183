import { expect, test } from 'vitest';
import { readMoment } from './time.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');

test.each([
  ['90s', '2026-03-01T11:58:30.000Z'],
  ['15m', '2026-03-01T11:45:00.000Z'],
  ['2h', '2026-03-01T10:00:00.000Z'],
  ['7d', '2026-02-22T12:00:00.000Z'],
  ['2026-02-01T00:00:00+01:00', '2026-01-31T23:00:00.000Z'],
])('%s is %s', (text, moment) => {
  expect(readMoment('since', text, NOW)).toBe(moment);
});

test.each(['', 'yesterday', '5', '5w', '-5m'])('%j is refused with what was expected', (text) => {
  expect(() => readMoment('since', text, NOW)).toThrow('--since: expected a span such as');
});
