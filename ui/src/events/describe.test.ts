import { EVENT_TYPES, type EventEnvelope } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import {
  detailOf,
  isKept,
  mergeEvents,
  passes,
  runsOf,
  servicesOf,
  shortType,
  subjectOf,
  summaryOf,
  TYPE_GROUPS,
} from './describe.ts';

const event = (id: string, type = 'skyrun.instance.failed.v1', data: unknown = {}): EventEnvelope => ({
  specversion: '1.0',
  id,
  source: '/skyrun/orchestrator',
  type,
  subject: 'instances/x',
  time: '2026-01-01T00:00:00.000Z',
  datacontenttype: 'application/json',
  sequence: 1,
  data,
});

test('an event that came live and is in the history is shown once, live ones first', () => {
  const merged = mergeEvents([event('c'), event('b')], [event('b'), event('a')]);
  expect(merged.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
});

test.each([
  [{}, true],
  [{ type: 'skyrun.instance.*' }, true],
  [{ type: 'skyrun.service.*' }, false],
  [{ text: 'OOMKILLED' }, true],
  [{ text: 'elsewhere' }, false],
])('the filter %j lets it pass: %s', (filter, passed) => {
  expect(passes(event('a', 'skyrun.instance.failed.v1', { reason: 'OOMKilled' }), filter)).toBe(passed);
});

test('every kept type has a group to filter by, and a summary', () => {
  for (const type of EVENT_TYPES.filter(isKept)) {
    expect(TYPE_GROUPS.some(({ noun }) => type.startsWith(`skyrun.${noun}.`))).toBe(true);
    expect(summaryOf(event('a', type))).not.toBe(type);
  }
  expect(summaryOf(event('a', 'skyrun.moon.landed.v1'))).toBe('skyrun.moon.landed.v1');
  expect(shortType('skyrun.instance.ready.v1')).toBe('instance.ready');
});

test('the detail tells two events of a type apart', () => {
  expect(detailOf(event('a', 'skyrun.instance.failed.v1', { service: 'hello', reason: 'OOMKilled' }))).toBe(
    'hello · OOMKilled',
  );
  const decided = event('a', 'skyrun.scaling.decided.v1', { service: 'hello', decision: { sentence: '0 → 1: woken' } });
  expect([summaryOf(decided), detailOf(decided)]).toEqual(['0 → 1: woken', 'hello']);
  expect(detailOf(event('a', 'skyrun.instance.failed.v1', null))).toBe('');
});

test('three or more of a kind in a row are one run, whose key stays as it grows', () => {
  const usage = (id: string) => event(id, 'skyrun.usage.recorded.v1');
  const events = [usage('f'), usage('e'), usage('d'), event('c'), usage('b'), usage('a')];
  const runs = runsOf(events);
  expect(runs.map((run) => run.events.map(({ id }) => id).join(''))).toEqual(['fed', 'c', 'b', 'a']);
  expect(runsOf([usage('g'), ...events])[0]?.key).toBe(runs[0]?.key);
});

test('usage of several services is one run; a failure of another instance, or another sentence, begins a new one', () => {
  const of = (service: string, type: string, data = {}) => ({
    ...event(service, type, { service, ...data }),
    subject: `services/${service}`,
  });
  const usage = ['web', 'shop', 'web'].map((service) => of(service, 'skyrun.usage.recorded.v1'));
  const [run, ...others] = runsOf(usage);
  expect([others.length, servicesOf(run?.events ?? []), subjectOf(run?.events ?? [])]).toEqual([
    0,
    'shop, web',
    '2 resources',
  ]);
  expect(runsOf(['a', 'b', 'c'].map((service) => of(service, 'skyrun.instance.failed.v1')))).toHaveLength(3);
  const decided = (sentence: string) => of('web', 'skyrun.scaling.decided.v1', { decision: { sentence } });
  expect(runsOf(['0 → 1', '1 → 2', '2 → 3'].map(decided))).toHaveLength(3);
});
