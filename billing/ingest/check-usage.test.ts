import { expect, test } from 'vitest';
import { LONGEST_WINDOW_MS } from '../aggregate/usage-row.ts';
import { NOON, usageEvent } from '../testing/usage-events.ts';
import { CLOCK_AHEAD_MS, checkUsage, type UsageEvent, type UsageProblem } from './check-usage.ts';

const NOW = NOON + 5000;
const LATEST = NOW + CLOCK_AHEAD_MS;
const eventOf = (fields: Partial<UsageEvent['data']>): UsageEvent => {
  const event = usageEvent({ key: 'k' });
  return { ...event, data: { ...event.data, ...fields } };
};

test.each<[string, UsageEvent, UsageProblem | null]>([
  ['of one second', usageEvent({ key: 'k' }), null],
  ['of another project than its event', { ...usageEvent({ key: 'k' }), project: 'other' }, 'usage.project_mismatch'],
  ['of no time', usageEvent({ key: 'k', until: NOON, busy: [] }), 'usage.window_reversed'],
  ['that ends before it begins', usageEvent({ key: 'k', until: NOON - 1, busy: [] }), 'usage.window_reversed'],
  ['as long as may be', usageEvent({ key: 'k', from: NOON - LONGEST_WINDOW_MS, until: NOON }), null],
  [
    'a millisecond longer',
    usageEvent({ key: 'k', from: NOON - LONGEST_WINDOW_MS - 1, until: NOON }),
    'usage.window_too_long',
  ],
  ['of a clock as far ahead as may be', usageEvent({ key: 'k', from: LATEST }), null],
  ['of one further ahead', usageEvent({ key: 'k', from: LATEST + 1 }), 'usage.window_in_future'],
  ['of a negative quantity', eventOf({ bytesOut: -1 }), 'usage.quantity_out_of_range'],
  ['of more than a column holds', eventOf({ memoryMib: 2 ** 31 }), 'usage.quantity_out_of_range'],
  ['busy all along', usageEvent({ key: 'k', busy: [[NOON, NOON + 1000]] }), null],
  ['busy before it', usageEvent({ key: 'k', busy: [[NOON - 1, NOON]] }), 'usage.busy_outside_window'],
  ['busy after it', usageEvent({ key: 'k', busy: [[NOON, NOON + 1001]] }), 'usage.busy_outside_window'],
  ['busy backwards', usageEvent({ key: 'k', busy: [[NOON + 2, NOON + 1]] }), 'usage.busy_outside_window'],
])('a window %s: %s', (_, event, problem) => {
  const checked = checkUsage(event, NOW);
  expect(checked.ok ? null : checked.problem).toBe(problem);
});

test('busyMs is not believed, and spans of nothing are left out', () => {
  const checked = checkUsage(
    eventOf({
      busyMs: 999_999,
      busy: [
        [NOON, NOON],
        [NOON, NOON + 10],
      ],
    }),
    NOW,
  );
  expect(checked).toMatchObject({ ok: true, row: { busy: [[NOON, NOON + 10]] } });
});
