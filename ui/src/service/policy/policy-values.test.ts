import { servicePolicy } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { newLimit, policyOf, policyValues } from './policy-values.ts';

const full = servicePolicy.parse({
  invoker: 'members',
  allow: ['10.0.0.0/8', '192.0.2.1'],
  deny: ['10.1.0.0/16'],
  rateLimits: [{ name: 'calls', per: 'caller', requests: 5, windowSeconds: 10, burst: 9, pathPrefix: '/api' }],
  cors: { origins: ['https://shop.example'], methods: ['PUT'], credentials: true },
  maintenance: { message: 'Moving house.' },
  maxRequestBytes: 1000,
  waitingPage: true,
  showCost: true,
  firstByteTimeoutMs: 500,
  idleTimeoutMs: 900,
  breaker: { failureRatio: 0.25, slowerThanMs: 100, minRequests: 7 },
  slowStartMs: 3000,
  pipelining: { depth: 16, heldUpMs: 30 },
});

test('a form that nobody touched says what was there', () => {
  expect(policyOf(policyValues(full), full)).toEqual(full);
  expect(policyOf(policyValues(), servicePolicy.parse({}))).toEqual(servicePolicy.parse({}));
});

test('emptied fields are not set any more', () => {
  const emptied = policyOf(
    {
      ...policyValues(full),
      allow: ' \n',
      origins: '',
      maintenance: false,
      maxRequestBytes: '',
      firstByteTimeoutMs: '',
      idleTimeoutMs: '',
      failurePercent: '',
      slowerThanMs: '',
      slowStartMs: '',
      waitingPage: false,
      showCost: false,
      pipelining: false,
      limits: [],
      deny: '',
      invoker: 'public',
    },
    full,
  );
  expect(emptied).toEqual(servicePolicy.parse({}));
});

test('addresses may stand on lines or behind commas', () => {
  const values = { ...policyValues(), allow: '10.0.0.0/8, 192.0.2.1\n\n2001:db8::/32' };
  expect(policyOf(values).allow).toEqual(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32']);
});

test('text that is no number is refused by name', () => {
  const [row] = [newLimit('a', [])];
  const result = servicePolicy.safeParse(policyOf({ ...policyValues(), limits: [{ ...row, requests: 'many' }] }));
  expect(result.error?.issues[0]?.path).toEqual(['rateLimits', 0, 'requests']);
});

test('a further limit gets a name of its own', () => {
  const first = newLimit('a', []);
  expect(first.name).toBe('default');
  expect(newLimit('b', [first]).name).toBe('limit-2');
});
