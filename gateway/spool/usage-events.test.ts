import type { AnyEvent } from '@skyrun/contracts';
import { ManualClock } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { UsageEvents } from './usage-events.ts';

const START = 1_700_000_000_000;
const usage = (clockRun: number, service = 'hello') => ({
  revision: {
    project: 'demo',
    service,
    serviceId: 'svc_01890000-0000-7000-8000-000000000001',
    revisionId: 'rev_01890000-0000-7000-8000-000000000001',
    revisionName: `${service}-00001`,
    billingMode: 'request' as const,
    cpuMilli: 1000,
    memoryMib: 512,
  },
  instanceId: 'ins_01890000-0000-7000-8000-000000000001',
  clockRun,
  windowStart: START,
  windowEnd: START + 1000,
  requests: 1,
  bytesIn: 1,
  bytesOut: 1,
  busy: [],
  busyMs: 0,
  statusClasses: { '1xx': 0, '2xx': 1, '3xx': 0, '4xx': 0, '5xx': 0 },
});
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
