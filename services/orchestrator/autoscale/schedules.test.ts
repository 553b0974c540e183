import type { ScaleSchedule } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { scheduledFloor } from './schedules.ts';

const workday: ScaleSchedule = {
  cron: '0 8 * * MON-FRI',
  timeZone: 'Europe/Berlin',
  durationSeconds: 36_000,
  minScale: 3,
};
const lunch: ScaleSchedule = { cron: '0 12 * * *', timeZone: 'Europe/Berlin', durationSeconds: 3600, minScale: 5 };

test.each([
  ['winter: before eight in Berlin', '2026-01-12T06:59:59Z', null],
  ['winter: at eight', '2026-01-12T07:00:00Z', 3],
  ['winter: before it ends', '2026-01-12T16:59:59Z', 3],
  ['winter: when it ends', '2026-01-12T17:00:00Z', null],
  ['summer: eight is an hour earlier', '2026-07-13T06:00:00Z', 3],
  ['a Saturday', '2026-01-10T09:00:00Z', null],
  ['a Saturday at noon', '2026-01-10T11:30:00Z', 5],
  ['the highest of two', '2026-01-12T11:30:00Z', 5],
])('%s', (_, time, want) => {
  expect(scheduledFloor([workday, lunch], Date.parse(time))?.want ?? null).toBe(want);
});

test('asked moment after moment it changes at the right one', () => {
  const from = Date.parse('2026-01-12T06:59:50Z');
  const wants = Array.from({ length: 20 }, (_, second) => scheduledFloor([workday], from + second * 1000)?.want ?? 0);
  expect(wants).toEqual([...new Array(10).fill(0), ...new Array(10).fill(3)]);
});
