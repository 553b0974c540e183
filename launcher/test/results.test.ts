import { expect, test } from 'vitest';
import { slowest, tally } from './results.ts';

const passed = { fullName: 'good', status: 'passed', duration: 5 };
const failed = { fullName: 'bad', status: 'failed', duration: 2_000 };
const skipped = { fullName: 'later', status: 'skipped' };

test.each([
  ['all well', [{ name: 'f', status: 'passed', assertionResults: [passed, skipped] }], 0, { passed: 1, failed: 0 }],
  ['a failed test', [{ name: 'f', status: 'failed', assertionResults: [passed, failed] }], 1, { passed: 1, failed: 1 }],
  [
    'a file that cannot be loaded',
    [{ name: 'f', status: 'failed', assertionResults: [] }],
    1,
    { passed: 0, failed: 1 },
  ],
  [
    'a hook that threw after the tests',
    [{ name: 'f', status: 'failed', assertionResults: [passed] }],
    1,
    { passed: 1, failed: 1 },
  ],
  [
    'an error outside of any test',
    [{ name: 'f', status: 'passed', assertionResults: [passed] }],
    1,
    { passed: 1, failed: 1 },
  ],
])('%s', (_name, testResults, exitCode, expected) => {
  expect(tally({ testResults }, exitCode)).toMatchObject(expected);
});

test('the slowest come first', () => {
  const one = tally({ testResults: [{ name: 'f', status: 'failed', assertionResults: [passed, failed] }] }, 1);
  expect(slowest([one], 1)).toEqual(['      2.0 s  bad']);
});
