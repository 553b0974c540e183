import type { AnyEvent } from '@skyrun/contracts';
import { ManualClock } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { FIRST_WINDOW, usageWindow } from '../harness/usage-window.ts';
import { UsageEvents } from './usage-events.ts';

const START = FIRST_WINDOW;
const usage = (clockRun: number, service = 'hello') => usageWindow({ clockRun, service });
const run = (epoch: string, startedAt: number) =>
  new UsageEvents({ gateway: 'g1', epoch, clock: new ManualClock(startedAt) });
const keyOf = (event: AnyEvent) => (event.type === 'skyrun.usage.recorded.v1' ? event.data.key : '');

test('a window that comes again in another run of the gateway, or of its clock, has another key', () => {
  const [first, second] = [run('a', START), run('b', START + 5)];
  const keys = [first.recorded(usage(0)), first.recorded(usage(1)), second.recorded(usage(0))].map(keyOf);
  expect(new Set(keys).size).toBe(3);
});

test('numbers of a subject grow, over a restart too', () => {
  const first = run('a', START);
  const before = [first.recorded(usage(0)), first.recorded(usage(0, 'other')), first.recorded(usage(0))];
  const after = run('b', START + 60_000).recorded(usage(0));
  const [one = 0, , two = 0] = before.map(({ sequence }) => sequence);
  expect(two).toBe(one + 1);
  expect(after.sequence).toBeGreaterThan(two);
});
