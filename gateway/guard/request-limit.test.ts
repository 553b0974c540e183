import { expect, test } from 'vitest';
import { Buckets } from '../limit/buckets.ts';
import { RequestLimit } from './request-limit.ts';

test('callers that alternate have a bucket each, and each is told what its own has left', () => {
  const limit = { name: 'calls', per: 'address', requests: 2, windowSeconds: 10 } as const;
  const bucket = new RequestLimit(limit, { scope: 'svc', buckets: new Buckets({ shares: false }) });
  const ask = (who: string) => {
    const verdict = bucket.take(who, 1000);
    return `${verdict.allowed} ${bucket.fields(verdict)}`;
  };
  const told = (allowed: boolean, left: number, seconds: number) =>
    `${allowed} RateLimit-Policy: "calls";q=2;w=10\r\nRateLimit: "calls";r=${left};t=${seconds}\r\n`;
  expect(ask('a')).toBe(told(true, 1, 5));
  expect(ask('b')).toBe(told(true, 1, 5));
  expect(ask('a')).toBe(told(true, 0, 10));
  expect(ask('a')).toBe(told(false, 0, 10));
  expect(ask('b')).toBe(told(true, 0, 10));
});
