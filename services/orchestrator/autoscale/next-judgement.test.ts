import { expect, test } from 'vitest';
import { templateOf } from '../testing/desired.ts';
import { CALM, type ScaleMemory, type Verdict } from './decide.ts';
import { nextJudgement } from './next-judgement.ts';
import { policyOf } from './policy.ts';

const NOW = Date.UTC(2026, 0, 5, 12, 0, 0);
const quiet = { stable: 0, panic: 0, wanted: 1, settled: true, current: 0 };
const rest: Pick<Verdict, 'wanted' | 'limiter' | 'panicking' | 'memory'> = {
  wanted: 1,
  limiter: 'minScale',
  panicking: false,
  memory: CALM,
};
const soon = NOW + 1000;
const delayed: ScaleMemory = { ...CALM, delayed: [{ at: NOW - 1000, wanted: 5 }] };
const policy = policyOf(templateOf());

test.each([
  ['at rest', {}, {}, null],
  ['nothing was ever measured', { stable: null, panic: null }, {}, null],
  ['held down for good', {}, { limiter: 'maxScale' as const }, null],
  ['traffic in the window', { stable: 0.1 }, {}, soon],
  ['a request goes on', { current: 1 }, {}, soon],
  ['the want has just changed', { wanted: 2 }, {}, soon],
  ['panic', {}, { panicking: true }, soon],
  ['a grace', {}, { limiter: 'scaleToZeroGrace' as const }, soon],
  ['a delay', {}, { memory: delayed }, soon],
  ['measuring again after a restart', { settled: false }, {}, soon],
] as const)('%s', (_name, window, verdict, at) => {
  expect(nextJudgement(policy, { ...quiet, ...window }, { ...rest, ...verdict }, NOW)).toBe(at);
});

test('a schedule is due when it begins', () => {
  const schedules = [{ cron: '30 12 * * *', timeZone: 'UTC', durationSeconds: 600, minScale: 2 }];
  const scheduled = policyOf(templateOf({ scaling: { schedules } }));
  const begins = NOW + 30 * 60_000;
  expect(nextJudgement(scheduled, quiet, rest, NOW)).toBe(begins);
  expect(nextJudgement(scheduled, quiet, { ...rest, limiter: 'schedule' }, begins + 1)).toBe(begins + 600_000);
});

test('what tells its own metric is asked all the time', () => {
  const targets = [{ metric: 'custom', name: 'jobs', path: '/metrics', target: 5 }];
  const custom = policyOf(templateOf({ scaling: { targets } }));
  expect(nextJudgement(custom, quiet, rest, NOW)).toBe(soon);
});
