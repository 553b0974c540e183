import { expect, test } from 'vitest';
import { lengthOf, mergeSpans, type Span } from './spans.ts';

const CASES: readonly [name: string, spans: Span[], merged: Span[]][] = [
  ['nothing', [], []],
  ['an empty span', [[3, 3]], []],
  [
    'apart',
    [
      [5, 6],
      [1, 2],
    ],
    [
      [1, 2],
      [5, 6],
    ],
  ],
  [
    'touching',
    [
      [1, 2],
      [2, 3],
    ],
    [[1, 3]],
  ],
  [
    'overlapping by one',
    [
      [1, 5],
      [4, 9],
    ],
    [[1, 9]],
  ],
  [
    'one inside another',
    [
      [1, 9],
      [3, 4],
      [8, 9],
    ],
    [[1, 9]],
  ],
  [
    'the same twice',
    [
      [1, 5],
      [1, 5],
    ],
    [[1, 5]],
  ],
];

test.each(CASES)('%s', (_, spans, merged) => {
  expect(mergeSpans(spans)).toEqual(merged);
  expect(mergeSpans(spans.toReversed())).toEqual(merged);
  expect(lengthOf(merged)).toBe(
    new Set(spans.flatMap(([a, b]) => Array.from({ length: b - a }, (_, i) => a + i))).size,
  );
});
