import { desiredState } from '@skyrun/contracts';
import { expect, it } from 'vitest';
import { revisionRow, serviceState, shareOf } from '../services/state.fixture.ts';
import { buildDesired } from './build-desired.ts';

const one = revisionRow(1, { state: 'ready' });
const two = revisionRow(2, { state: 'ready' });
const fresh = revisionRow(2);
const three = revisionRow(3, { state: 'ready' });

it.each([
  ['a first revision', [serviceState({ newest: fresh })], [], ['2 starting']],
  ['a ready one', [serviceState({ newest: one, ready: one })], [], ['1 serving']],
  ['a second one', [serviceState({ newest: fresh, ready: one })], [], ['1 serving', '2 starting']],
  [
    'a second one that failed',
    [serviceState({ newest: { ...two, state: 'failed' }, ready: one })],
    [],
    ['1 serving', '2 starting'],
  ],
  ['old ones', [serviceState({ newest: three, ready: three })], [two, one], ['3 serving', '2 retired', '1 retired']],
  [
    'a split',
    [serviceState({ newest: two, ready: two, routed: [shareOf(one, 90), shareOf(two, 10), shareOf(one, 0, 'old')] })],
    [],
    ['1 serving', '2 serving'],
  ],
  [
    'one that waits for traffic',
    [serviceState({ newest: three, ready: three, warming: [one] })],
    [],
    ['3 serving', '1 starting'],
  ],
  [
    'one that proved itself and has no traffic',
    [serviceState({ newest: two, ready: two, routed: [shareOf(one, 100)] })],
    [],
    ['1 serving'],
  ],
  ['one that lost its traffic just now', [], [{ ...one, lingers_until: new Date(Date.UTC(2027, 0)) }], ['1 serving']],
  [
    'one that lost its traffic a while ago',
    [],
    [{ ...one, lingers_until: new Date(Date.UTC(2026, 0)) }],
    ['1 retired'],
  ],
  ['a deleted service', [], [one], ['1 retired']],
  ['nothing', [], [], []],
] as const)('wants of %s', (_, states, retired, expected) => {
  const revisions = buildDesired(states, retired, Date.UTC(2026, 0, 2));
  expect(desiredState.parse({ version: 'v', revisions }).revisions).toEqual(revisions);
  expect(revisions.map(({ revision, want }) => `${revision.number} ${want}`)).toEqual(expected);
});
