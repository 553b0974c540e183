import { expect, test } from 'vitest';
import type { RuntimeInstance } from '../runtime/runtime.ts';
import { desiredOf } from '../testing/desired.ts';
import { type InstanceFields, instanceOf, NOW } from '../testing/world.ts';
import type { ObservedInstance } from './observed.ts';
import { plan } from './plan.ts';
import type { DesiredRevision, RevisionVerdict } from './records.ts';
import { unproven } from './transitions.ts';

const CAN = { pause: true, restart: true };
const idle = (pausedSeconds: number, stoppedSeconds = 0, more: Record<string, unknown> = {}) => ({
  scaling: { idle: { pausedSeconds, stoppedSeconds }, ...more },
});

const READY = (desired: DesiredRevision): RevisionVerdict => ({ ...unproven(desired.revision.id), state: 'ready' });

function frozen(desired: DesiredRevision, idleSeconds: number, fields: InstanceFields = {}): ObservedInstance {
  const instance = instanceOf(desired, {
    inFlight: 0,
    ...fields,
    state: 'paused',
    record: { idleSince: NOW - idleSeconds * 1000, frozenAt: NOW },
  });
  const container: RuntimeInstance = { identity: instance.record, state: 'running', paused: true };
  return { ...instance, container };
}

const marked = (desired: DesiredRevision, ms: number, fields: InstanceFields = {}) =>
  instanceOf(desired, { ...fields, state: 'paused', record: { idleSince: NOW - ms } });
const parked = (desired: DesiredRevision, idleSeconds: number) =>
  instanceOf(desired, { state: 'parked', container: 'exited', record: { idleSince: NOW - idleSeconds * 1000 } });

function kinds(desired: DesiredRevision, instances: readonly ObservedInstance[], wanted: number, can = CAN): string[] {
  const verdicts = new Map([[desired.revision.id, READY(desired)]]);
  const observed = { instances, strays: [], verdicts };
  const steps = plan(
    new Map([[desired.revision.id, desired]]),
    observed,
    new Map([[desired.revision.id, wanted]]),
    NOW,
    can,
  );
  return steps.map(({ kind }) => kind).toSorted();
}

const off = desiredOf({ template: idle(0) });
const pausing = desiredOf({ template: idle(300) });
const all = desiredOf({ template: idle(300, 600) });
const stopping = desiredOf({ template: idle(0, 600) });
const always = desiredOf({ template: { ...idle(300), billingMode: 'instance' } });
const warm = desiredOf({ template: idle(300, 0, { warmPool: 1 }) });

test.each([
  ['without a ladder the last one leaves', off, [instanceOf(off)], 0, ['drain']],
  ['the last one is paused', pausing, [instanceOf(pausing)], 0, ['pause']],
  [
    'of three one is paused, the others leave',
    pausing,
    [1, 2, 3].map(() => instanceOf(pausing)),
    0,
    ['drain', 'drain', 'pause'],
  ],
  ['while one is needed, the others leave', pausing, [1, 2].map(() => instanceOf(pausing)), 1, ['drain']],
  ['where CPU is always paid for nothing is paused', always, [instanceOf(always)], 0, ['drain']],
  ['gateways have not heard yet', pausing, [marked(pausing, 500, { inFlight: 0 })], 0, []],
  ['gateways have heard', pausing, [marked(pausing, 1000, { inFlight: 0 })], 0, ['freeze']],
  ['a request goes on', pausing, [marked(pausing, 60_000, { inFlight: 1 })], 0, []],
  ['gateways say nothing', pausing, [marked(pausing, 1000)], 0, []],
  ['gateways say nothing for longer', pausing, [marked(pausing, 2000)], 0, ['freeze']],
  ['without a pause it is stopped and kept', stopping, [marked(stopping, 1000, { inFlight: 0 })], 0, ['park']],
  ['a frozen one stays for its time', pausing, [frozen(pausing, 299)], 0, []],
  ['then it leaves', pausing, [frozen(pausing, 300)], 0, ['stop']],
  ['or is stopped and kept', all, [frozen(all, 300)], 0, ['park']],
  ['a parked one stays for its time', all, [parked(all, 599)], 0, []],
  ['then it leaves too', all, [parked(all, 600)], 0, ['stop']],
  ['a late request reaches a frozen one', pausing, [frozen(pausing, 5, { inFlight: 1 })], 0, ['resume']],
  ['a frozen one is needed', pausing, [frozen(pausing, 5)], 1, ['resume']],
  ['a frozen one and two more are needed', pausing, [frozen(pausing, 5)], 3, ['create', 'create', 'resume']],
  ['a parked one is needed', all, [parked(all, 5)], 1, ['wake']],
  ['the frozen one is needed before the parked one', all, [parked(all, 5), frozen(all, 9)], 1, ['resume', 'stop']],
  ['one is being resumed', pausing, [frozen(pausing, 5, { busy: true, rising: true })], 1, []],
  ['one is being frozen, which takes a moment', pausing, [marked(pausing, 1500, { busy: true })], 1, []],
  ['a warm pool is filled', warm, [instanceOf(warm)], 1, ['create']],
  [
    'the one on its way there is waited for',
    warm,
    [instanceOf(warm), instanceOf(warm, { state: 'starting', probing: true })],
    1,
    [],
  ],
  ['ready, it is paused', warm, [instanceOf(warm), instanceOf(warm)], 1, ['pause']],
  ['and stays for ever', warm, [instanceOf(warm), frozen(warm, 9999)], 1, []],
  ['also at zero', warm, [frozen(warm, 9999)], 0, []],
  ['used up, it is filled again', warm, [instanceOf(warm), frozen(warm, 9)], 2, ['resume']],
] as const)('%s', (_, desired, instances, wanted, expected) => {
  expect(kinds(desired, instances, wanted)).toEqual(expected);
});

test('an engine without a freezer keeps only the rungs that it can', () => {
  const cannot = { pause: false, restart: false };
  expect(kinds(all, [instanceOf(all)], 0, cannot)).toEqual(['drain']);
  expect(kinds(all, [instanceOf(all)], 0, { pause: false, restart: true })).toEqual(['pause']);
  expect(kinds(warm, [instanceOf(warm)], 1, cannot)).toEqual([]);
});

test('of a retired revision nothing is kept', () => {
  const retired = { ...all, want: 'retired' as const };
  expect(kinds(retired, [frozen(retired, 1), parked(retired, 1)], 0)).toEqual(['stop', 'stop']);
});
