import { expect, test } from 'vitest';
import { desiredOf } from '../testing/desired.ts';
import { type InstanceFields, instanceOf, NOW } from '../testing/world.ts';
import { LOOK_AGAIN_MS, nextLook } from './next-look.ts';
import { unproven } from './transitions.ts';

const web = desiredOf({ template: { scaling: { idle: { pausedSeconds: 60, stoppedSeconds: 600 } } } });
const soon = NOW + LOOK_AGAIN_MS;

const look = (fields: InstanceFields, frozen = false) => {
  const instance = instanceOf(web, fields);
  const container =
    typeof instance.container === 'string' ? instance.container : { ...instance.container, paused: frozen };
  const instances = [{ ...instance, container }];
  return nextLook({ revision: web, instances, verdict: undefined, acted: false }, NOW);
};

test.each<[string, InstanceFields, boolean, number | null]>([
  ['one that serves', {}, false, null],
  ['one that is being probed', { state: 'starting', probing: true }, false, soon],
  ['one that drains', { state: 'draining' }, false, soon],
  ['one that something is done with', { busy: true }, false, soon],
  ['one whose container nobody has seen', { container: 'unseen' }, false, soon],
  ['one whose container is gone', { container: 'absent' }, false, soon],
  ['one whose container has ended', { container: 'exited' }, false, soon],
  ['one on its way up', { state: 'paused', rising: true, record: { idleSince: NOW } }, true, soon],
  ['paused and not frozen yet', { state: 'paused', record: { idleSince: NOW - 100 } }, false, soon],
  ['frozen: until the next rung', { state: 'paused', record: { idleSince: NOW - 10_000 } }, true, NOW + 50_000],
  ['kept: until it leaves', { state: 'parked', container: 'exited', record: { idleSince: NOW } }, false, NOW + 600_000],
])('%s', (_name, fields, frozen, at) => {
  expect(look(fields, frozen)).toBe(at);
});

test('after a step it is looked at again, and a pause after failures is waited for', () => {
  const nothing = { revision: web, instances: [], verdict: undefined, acted: false };
  expect(nextLook(nothing, NOW)).toBeNull();
  expect(nextLook({ ...nothing, acted: true }, NOW)).toBe(soon);
  const verdict = { ...unproven(web.revision.id), retryAt: NOW + 4000 };
  expect(nextLook({ ...nothing, verdict }, NOW)).toBe(NOW + 4000);
  expect(nextLook({ ...nothing, verdict: { ...verdict, retryAt: NOW - 1 } }, NOW)).toBeNull();
});
