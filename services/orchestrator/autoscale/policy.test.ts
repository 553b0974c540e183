import { expect, test } from 'vitest';
import { templateOf } from '../testing/desired.ts';
import { policyOf } from './policy.ts';

test.each([
  { name: 'the default limit at 70 %', template: {}, target: 56 },
  {
    name: 'a share of the limit',
    template: { containerConcurrency: 10, scaling: { targetUtilization: 0.5 } },
    target: 5,
  },
  { name: '70 % of what was asked for', template: { scaling: { target: 10 } }, target: 7 },
  { name: 'all of it', template: { scaling: { target: 12, targetUtilization: 1 } }, target: 12 },
  { name: 'never above the hard limit', template: { containerConcurrency: 10, scaling: { target: 50 } }, target: 7 },
  { name: 'Knative’s 200 requests per second at 70 %', template: { scaling: { metric: 'rps' } }, target: 140 },
  { name: 'Knative’s 100 at 70 % without a limit', template: { containerConcurrency: 0 }, target: 70 },
  {
    name: 'what was asked for without a limit',
    template: { containerConcurrency: 0, scaling: { target: 500 } },
    target: 350,
  },
])('the target is $name', ({ template, target }) => {
  expect(policyOf(templateOf(template)).target).toBeCloseTo(target);
});

test('the panic window is a share of the stable one', () => {
  const policy = policyOf(templateOf({ scaling: { stableWindowSeconds: 60, panicWindowPercent: 10 } }));
  expect(policy).toMatchObject({ stableWindowMs: 60_000, panicWindowMs: 6_000, panicThreshold: 2 });
});
