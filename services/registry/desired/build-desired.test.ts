import { desiredState } from '@skyrun/contracts';
import { expect, it } from 'vitest';
import { revisionRow, serviceState } from '../services/state.fixture.ts';
import { buildDesired } from './build-desired.ts';

const one = revisionRow(1, { state: 'ready' });
const two = revisionRow(2);
const three = revisionRow(3);

it.each([
  ['a first revision', [serviceState({ newest: two })], [], ['2 starting']],
  ['a ready one', [serviceState({ newest: one, ready: one })], [], ['1 serving']],
  ['a second one', [serviceState({ newest: two, ready: one })], [], ['1 serving', '2 starting']],
  [
    'a second one that failed',
    [serviceState({ newest: { ...two, state: 'failed' }, ready: one })],
    [],
    ['1 serving', '2 starting'],
  ],
  ['old ones', [serviceState({ newest: three, ready: three })], [two, one], ['3 serving', '2 retired', '1 retired']],
  ['a deleted service', [], [one], ['1 retired']],
  ['nothing', [], [], []],
] as const)('wants of %s', (_, states, retired, expected) => {
  const revisions = buildDesired(states, retired);
  expect(desiredState.parse({ version: 'v', revisions }).revisions).toEqual(revisions);
  expect(revisions.map(({ revision, want }) => `${revision.number} ${want}`)).toEqual(expected);
});
