import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Share, targetsOf, withShare } from './shares.ts';

const share = (percent: number, revisionName: string | null = null, tag = ''): Share => ({
  revisionName,
  percent,
  tag,
});

it.each([
  [[100, 0], 1, 10, [90, 10]],
  [[60, 40], 0, 100, [100, 0]],
  [[100, 0, 0], 0, 70, [70, 30, 0]],
  [[50, 25, 25], 0, 0, [0, 50, 50]],
  [[33, 33, 34], 2, 50, [25, 25, 50]],
])('%j, line %i to %i: %j', (percents, at, percent, expected) => {
  const shares = withShare(
    percents.map((each) => share(each)),
    at,
    percent,
  );
  expect(shares.map((each) => each.percent)).toEqual(expected);
});

it('always adds up to 100, and gives the line what was asked', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 6 }), fc.array(fc.tuple(fc.nat(5), fc.nat(100))), (count, moves) => {
      let shares = Array.from({ length: count }, (_, index) => share(index === 0 ? 100 : 0));
      for (const [line, percent] of moves) {
        shares = withShare(shares, line % count, percent);
        expect(shares[line % count]?.percent).toBe(percent);
        expect(shares.reduce((sum, each) => sum + each.percent, 0)).toBe(100);
        expect(shares.every((each) => each.percent >= 0)).toBe(true);
      }
    }),
  );
});

it('asks for lines that have a share or a tag', () => {
  expect(
    targetsOf([share(90), share(10, 'web-00001', ' old '), share(0, 'web-00002'), share(0, 'web-00003', 'next')]),
  ).toEqual([
    { latestRevision: true, percent: 90 },
    { revisionName: 'web-00001', percent: 10, tag: 'old' },
    { revisionName: 'web-00003', percent: 0, tag: 'next' },
  ]);
});
