import type { ScaleTarget } from '@skyrun/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { signalWant } from './signals.ts';

const NOW = 1_700_000_000_000;
const target: ScaleTarget = {
  metric: 'cpu',
  target: 50,
  path: '/metrics',
  scaleOutAbove: 1.1,
  scaleInBelow: 0.8,
  scaleOutCooldownSeconds: 10,
  scaleInCooldownSeconds: 60,
};
const context = { ready: 4, active: true, changedAt: 0 };

test.each([
  ['at its target', 50, {}, {}, 4],
  ['just within the upper threshold', 55, {}, {}, 4],
  ['above it', 56, {}, {}, 5],
  ['twice the target', 100, {}, {}, 8],
  ['just within the lower threshold', 40, {}, {}, 4],
  ['below it', 25, {}, {}, 2],
  ['one stays', 0, {}, {}, 1],
  ['out too soon after a change', 100, { changedAt: NOW - 9_999 }, {}, 4],
  ['out after its cooldown', 100, { changedAt: NOW - 10_000 }, {}, 8],
  ['in too soon after a change', 25, { changedAt: NOW - 59_999 }, {}, 4],
  ['in after its cooldown', 25, { changedAt: NOW - 60_000 }, {}, 2],
  ['not measured', null, {}, {}, null],
  ['no instance', 90, { ready: 0 }, {}, null],
  ['memory that is merely held keeps nothing up', 90, { active: false }, { metric: 'memory' }, null],
  ['a queue that is full does', 100, { active: false }, { metric: 'custom', name: 'queue' }, 8],
  ['an empty queue does not', 0, { active: false }, { metric: 'custom', name: 'queue' }, null],
  ['latency doubles at most', 500, {}, { metric: 'latency' }, 8],
] as const)('%s', (_, value, some, kind, want) => {
  expect(signalWant({ target: { ...target, ...kind }, value }, { ...context, ...some }, NOW).want).toBe(want);
});

test('load that spreads over what was wanted needs no further change', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.double({ min: 1, max: 5000, noNaN: true }), (ready, load) => {
      const first = signalWant({ target, value: load / ready }, { ...context, ready }, NOW).want ?? ready;
      const second = signalWant({ target, value: load / first }, { ...context, ready: first }, NOW).want ?? first;
      const third = signalWant({ target, value: load / second }, { ...context, ready: second }, NOW).want ?? second;
      expect(third).toBe(second);
    }),
  );
});
