import { rolloutPolicy } from '@skyrun/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideRollout, wilsonLower } from './decide-rollout.ts';

const steps = [
  { percent: 10, seconds: 30 },
  { percent: 50, seconds: 60 },
];
const timed = rolloutPolicy.parse({ steps });
const judged = rolloutPolicy.parse({ steps, canary: {} });
const hasty = rolloutPolicy.parse({ steps, canary: { tooFewRequests: 'advance' } });
const seen = (requests: number, errors: number, p95Ms: number | null = 20) => ({ requests, errors, p95Ms });
const well = { before: seen(1000, 1), candidate: seen(100, 0) };

describe('decideRollout', () => {
  it.each([
    ['time alone: before the end of a step', timed, 0, 29, null, 'hold', 10, '10 % to the new revision for 1 s more'],
    ['time alone: at its end', timed, 0, 30, null, 'advance', 50, '50 % to the new revision: 30 s at 10 % are over'],
    ['time alone: at the end of the last', timed, 1, 60, null, 'complete', 100, 'All traffic to the new revision'],
    ['well, and time left', judged, 0, 10, well, 'hold', 10, '10 % to the new revision for 20 s more: 0 % of its 100'],
    [
      'well, and time over',
      judged,
      0,
      31,
      well,
      'advance',
      50,
      '0 % of its 100 answers failed, of the old revision’s 0.1 %, its p95 is 20 ms',
    ],
    ['well to the end', judged, 1, 61, well, 'complete', 100, 'All traffic to the new revision: 0 % of its 100'],
    ['nobody can say', judged, 0, 31, null, 'hold', 10, 'cannot be read'],
    ['too few to judge', judged, 0, 31, { ...well, candidate: seen(49, 0) }, 'hold', 10, '49 of the 50 requests'],
    ['too few, in a hurry', hasty, 0, 31, { ...well, candidate: seen(49, 0) }, 'advance', 50, '49 of the 50 requests'],
    [
      'errors, surely',
      judged,
      0,
      1,
      { ...well, candidate: seen(60, 12) },
      'roll back',
      0,
      '20 % of its 60 answers failed, of the old revision’s 0.1 %: more than 2 points worse',
    ],
    [
      'nothing but errors, however few',
      judged,
      0,
      1,
      { ...well, candidate: seen(5, 5) },
      'roll back',
      0,
      '100 % of its 5',
    ],
    ['one bad answer of a few', judged, 0, 1, { ...well, candidate: seen(8, 1) }, 'hold', 10, 'of the 50 requests'],
    ['errors, perhaps', judged, 0, 31, { ...well, candidate: seen(60, 2) }, 'hold', 10, 'too few to be sure'],
    [
      'as many errors as before',
      judged,
      0,
      31,
      { before: seen(1000, 200), candidate: seen(100, 20) },
      'advance',
      50,
      '20 %',
    ],
    [
      'slower by half, and much',
      judged,
      0,
      1,
      { before: seen(1000, 0, 200), candidate: seen(100, 0, 500) },
      'roll back',
      0,
      'its p95 is 500 ms, the old revision’s 200 ms: more than 1.5 times',
    ],
    [
      'slower by half, but a trifle',
      judged,
      0,
      31,
      { before: seen(1000, 0, 2), candidate: seen(100, 0, 7) },
      'advance',
      50,
      'its p95 is 7 ms',
    ],
    [
      'nobody to compare with',
      judged,
      0,
      31,
      { before: seen(0, 0, null), candidate: seen(100, 0) },
      'advance',
      50,
      '0 %',
    ],
  ] as const)('%s', (_, policy, step, second, observed, verdict, percent, words) => {
    const decided = decideRollout(policy, { step, stepSince: 0 }, observed, second * 1000);
    expect(decided).toMatchObject({ verdict, percent });
    expect(decided.sentence).toContain(words);
  });

  it('never moves on before its time, and never goes back over what is no worse', () => {
    const observation = fc
      .record({ requests: fc.nat(5000), share: fc.double({ min: 0, max: 1, noNaN: true }), p95Ms: fc.nat(1000) })
      .map(({ requests, share, p95Ms }) => ({ requests, errors: Math.floor(requests * share), p95Ms }));
    fc.assert(
      fc.property(observation, observation, fc.nat(100), (before, candidate, second) => {
        const { verdict } = decideRollout(judged, { step: 0, stepSince: 0 }, { before, candidate }, second * 1000);
        if (verdict === 'advance') expect(second).toBeGreaterThanOrEqual(30);
        const errorsWorse = candidate.errors * Math.max(1, before.requests) > before.errors * candidate.requests;
        if (verdict === 'roll back') expect(errorsWorse || candidate.p95Ms > before.p95Ms).toBe(true);
      }),
    );
  });
});

it.each([
  [0, 0, 0],
  [0, 100, 0],
  [50, 100, 0.419],
  [5, 5, 0.649],
])('is sure of %i of %i: at least %f', (hits, total, lower) => {
  expect(wilsonLower(hits, total)).toBeCloseTo(lower, 2);
});
