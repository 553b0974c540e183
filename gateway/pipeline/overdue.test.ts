import { expect, test } from 'vitest';
import { type Overdue, overdue, type Progress } from './overdue.ts';

const NOW = 100_000;
const CONNECT_MS = 3000;
const sent: Progress = {
  deadline: NOW + 1,
  bounds: { maxRequestBytes: null, firstByteMs: 500, idleMs: 700 },
  sent: true,
  whole: true,
  status: 0,
  progressAt: NOW,
  connectingSince: Number.POSITIVE_INFINITY,
};
const connecting = { ...sent, sent: false };

test.each<[string, Progress, Overdue | null]>([
  ['on its way', sent, null],
  ['at its deadline', { ...sent, deadline: NOW }, 'deadline'],
  ['no head for exactly the bound', { ...sent, progressAt: NOW - 500 }, null],
  ['no head for longer', { ...sent, progressAt: NOW - 501 }, 'first-byte'],
  ['no head, but the client still sends', { ...sent, progressAt: NOW - 501, whole: false }, null],
  ['a body that pauses within the bound', { ...sent, status: 200, progressAt: NOW - 700 }, null],
  ['a body that pauses for longer', { ...sent, status: 200, progressAt: NOW - 701 }, 'idle'],
  ['no bounds', { ...sent, bounds: null, status: 200, progressAt: 0 }, null],
  ['bounds that are off', { ...sent, bounds: { maxRequestBytes: 1, firstByteMs: 0, idleMs: 0 }, progressAt: 0 }, null],
  ['connecting', { ...connecting, connectingSince: NOW - CONNECT_MS }, null],
  ['connecting for too long', { ...connecting, connectingSince: NOW - CONNECT_MS - 1 }, 'connect'],
  ['waiting', connecting, null],
])('%s', (_what, progress, wanted) => {
  expect(overdue(progress, CONNECT_MS, NOW)).toBe(wanted);
});
