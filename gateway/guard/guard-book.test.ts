import { servicePolicy } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { route } from '../harness/gateway.ts';
import { guardDeps } from '../harness/guard-deps.ts';
import { guardOf } from './guard-book.ts';

const deps = guardDeps();
const guarded = (policy: z.input<typeof servicePolicy> | undefined) =>
  guardOf({ ...route([]), ...(policy === undefined ? {} : { policy: servicePolicy.parse(policy) }) }, deps) !== null;

test.each<z.input<typeof servicePolicy>>([
  { invoker: 'members' },
  { allow: ['10.0.0.0/8'] },
  { deny: ['10.0.0.0/8'] },
  { rateLimits: [{ requests: 1 }] },
  { cors: { origins: ['*'] } },
  { maintenance: { message: 'Back at noon.' } },
  { maxRequestBytes: 10 },
  { waitingPage: true },
  { firstByteTimeoutMs: 100 },
  { idleTimeoutMs: 100 },
])('a policy of %j alone is asked for every request', (policy) => {
  expect(guarded(policy)).toBe(true);
});

test.each([undefined, {}, { slowStartMs: 100, breaker: { failureRatio: 0.5 } }])(
  'a policy of %j asks nothing of a request',
  (policy) => {
    expect(guarded(policy)).toBe(false);
  },
);
