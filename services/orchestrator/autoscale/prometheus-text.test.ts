import { expect, test } from 'vitest';
import { readMetric } from './prometheus-text.ts';

const TEXT = `# HELP queue_depth Jobs that wait
# TYPE queue_depth gauge
queue_depth{queue="a",note="a } brace and a \\" quote"} 3
queue_depth{queue="b"} 4.5 1700000000000
queue_depth_max 100
other 7
broken{ 1
not_a_number NaN
`;

test.each([
  ['queue_depth', 7.5],
  ['queue_depth_max', 100],
  ['other', 7],
  ['nothing', null],
  ['broken', null],
  ['not_a_number', null],
])('%s is %s', (name, value) => {
  expect(readMetric(TEXT, name)).toBe(value);
});
