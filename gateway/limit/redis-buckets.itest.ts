import { silentLogger } from '@skyrun/kit';
import { startRedis } from '@skyrun/testing';
import { expect, test } from 'vitest';
import { createRedisBuckets } from './redis-buckets.ts';

test('what several gateways let through adds up, leaks with time and expires; without Redis it fails at once', async () => {
  const server = await startRedis();
  const one = createRedisBuckets(server.url, silentLogger);
  const two = createRedisBuckets(server.url, silentLogger);
  try {
    await expect
      .poll(() =>
        one.add([{ key: 'warm', costMs: 0, overMs: 0 }]).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await expect
      .poll(() =>
        two.add([{ key: 'warm', costMs: 0, overMs: 0 }]).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    const [first = 0] = await one.add([{ key: 'a', costMs: 500, overMs: 0 }]);
    expect(first).toBeGreaterThan(490);
    expect(first).toBeLessThanOrEqual(500);
    const [second = 0, other = 0] = await two.add([
      { key: 'a', costMs: 300, overMs: 0 },
      { key: 'b', costMs: 100, overMs: 0 },
    ]);
    expect(second).toBeGreaterThan(first);
    expect(second).toBeLessThanOrEqual(800);
    expect(other).toBeLessThanOrEqual(100);
    await expect.poll(async () => (await one.add([{ key: 'a', costMs: 0, overMs: 0 }]))[0]).toBe(0);
    // Two used 90 ms of the same 100: the second finds ten left.
    const use = { key: 'c', costMs: 90, overMs: 100 };
    expect(await one.add([use])).toEqual([0]);
    const [both = 0] = await two.add([use]);
    expect(both).toBeGreaterThan(0);
    expect(both).toBeLessThanOrEqual(80);
    const many = Array.from({ length: 1200 }, (_, index) => ({ key: `k${index}`, costMs: 100, overMs: 0 }));
    expect(await one.add(many)).toHaveLength(1200);
    await server.stop();
    await expect(one.add(many)).rejects.toThrow();
  } finally {
    one.close();
    two.close();
    await server.stop();
  }
});
