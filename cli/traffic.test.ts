import { expect, it } from 'vitest';
import { parseRollout, retag, retarget } from './traffic.ts';

const split = [
  { latestRevision: true, percent: 60 },
  { revisionName: 'web-00001', percent: 40, tag: 'old' },
];

it.each([
  ['all to one', 'web-00001=100', [{ revisionName: 'web-00001', percent: 100, tag: 'old' }]],
  [
    'the rest stays with what has traffic',
    'web-00002=10',
    [
      { revisionName: 'web-00002', percent: 10 },
      { latestRevision: true, percent: 54 },
      { revisionName: 'web-00001', percent: 36, tag: 'old' },
    ],
  ],
  [
    'the latest by name',
    'LATEST=25,web-00001=75',
    [
      { latestRevision: true, percent: 25 },
      { revisionName: 'web-00001', percent: 75, tag: 'old' },
    ],
  ],
])('assigns shares: %s', (_, given, expected) => {
  expect(retarget(split, given)).toEqual(expected);
});

it.each(['web-00001', 'web-00001=x', 'web-00001=101', 'a=60,b=60', 'a=50,a=50'])('refuses %s', (given) => {
  expect(() => retarget(split, given)).toThrow('--to-revisions');
});

it('sets and removes tags without moving traffic', () => {
  expect(retag(split, { set: 'next=LATEST,v1=web-00001', remove: 'old' })).toEqual([
    { latestRevision: true, percent: 60, tag: 'next' },
    { revisionName: 'web-00001', percent: 40, tag: 'v1' },
  ]);
  expect(retag(split, { set: 'blue=web-00003' })).toEqual([
    ...split,
    { revisionName: 'web-00003', percent: 0, tag: 'blue' },
  ]);
  expect(() => retag(split, { remove: 'nothing' })).toThrow('--remove-tags');
});

it('reads the steps of a rollout', () => {
  expect(parseRollout('10%:30s,50%:2m')).toEqual([
    { percent: 10, seconds: 30 },
    { percent: 50, seconds: 120 },
  ]);
  expect(() => parseRollout('10')).toThrow('--rollout');
});
