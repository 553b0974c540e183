import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Buckets, type SharedBuckets } from './buckets.ts';
import { gcra, type Rate } from './gcra.ts';

const TEN_A_SECOND: Rate = { emissionMs: 100, burst: 10 };

describe('gcra', () => {
  test.each<[string, number, number, { allowed: boolean; remaining: number; retryMs: number; resetMs: number }]>([
    ['the first of all', 0, 1000, { allowed: true, remaining: 9, retryMs: 0, resetMs: 100 }],
    ['the last of a burst', 1900, 1000, { allowed: true, remaining: 0, retryMs: 0, resetMs: 1000 }],
    ['one too many', 2000, 1000, { allowed: false, remaining: 0, retryMs: 100, resetMs: 1000 }],
    ['a moment too early', 1950, 1000, { allowed: false, remaining: 0, retryMs: 50, resetMs: 950 }],
    ['in time', 1900, 1050, { allowed: true, remaining: 0, retryMs: 0, resetMs: 950 }],
    ['after a long rest', 5, 1_000_000, { allowed: true, remaining: 9, retryMs: 0, resetMs: 100 }],
  ])('%s', (_name, tat, now, expected) => {
    expect(gcra(tat, now, TEN_A_SECOND)).toMatchObject(expected);
  });

  test('a burst of one spaces requests evenly', () => {
    const rate: Rate = { emissionMs: 250, burst: 1 };
    const first = gcra(0, 0, rate);
    expect(first).toMatchObject({ allowed: true, remaining: 0 });
    expect(gcra(first.tat, 249, rate).allowed).toBe(false);
    expect(gcra(first.tat, 250, rate).allowed).toBe(true);
  });

  test.each([
    [1000, 3],
    [60_000, 7],
    [60_000, 13],
  ])('counts down by ones where requests do not divide the window: %i ms, %i requests', (windowMs, requests) => {
    const rate: Rate = { emissionMs: windowMs / requests, burst: requests };
    let tat = 0;
    const left = Array.from({ length: requests }, () => {
      const verdict = gcra(tat, 12_345.678, rate);
      tat = verdict.tat;
      return verdict.remaining;
    });
    expect(left).toEqual(Array.from({ length: requests }, (_, index) => requests - 1 - index));
  });

  test('never lets through more than the burst and what time has earned; after retryMs one always passes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 200 }),
        (burst, emissionMs, gaps) => {
          const rate = { burst, emissionMs };
          let tat = 0;
          let now = 10_000;
          let allowed = 0;
          for (const gap of gaps) {
            now += gap;
            const verdict = gcra(tat, now, rate);
            if (verdict.allowed) {
              allowed += 1;
              tat = verdict.tat;
            } else expect(gcra(tat, now + verdict.retryMs, rate).allowed).toBe(true);
            const earned = Math.floor((now - 10_000) / emissionMs);
            expect(allowed).toBeLessThanOrEqual(burst + earned);
          }
        },
      ),
    );
  });
});

describe('buckets', () => {
  /** What Redis does, in memory and at the caller's time. */
  function together(clock: { now: number }): SharedBuckets {
    const tats = new Map<string, number>();
    return {
      add: async (entries) =>
        entries.map(({ key, costMs, overMs }) => {
          const tat = Math.max(clock.now - overMs, tats.get(key) ?? 0) + costMs;
          tats.set(key, tat);
          return Math.max(0, tat - clock.now);
        }),
    };
  }

  test('two gateways that share let through one limit between them', async () => {
    const clock = { now: 1000 };
    const shared = together(clock);
    const gateways = [new Buckets({ shares: true }), new Buckets({ shares: true })];
    let allowed = 0;
    for (let round = 0; round < 100; round += 1) {
      for (const gateway of gateways) if (gateway.take('a', TEN_A_SECOND, clock.now).allowed) allowed += 1;
      for (const gateway of gateways) await gateway.share(shared, () => clock.now);
      clock.now += 100;
    }
    // Ten seconds at ten a second, the burst, and what one interval may overshoot.
    expect(allowed).toBeGreaterThanOrEqual(100);
    expect(allowed).toBeLessThanOrEqual(100 + 10 + 2);
  });

  test('two gateways of which each stays below the limit keep to it together', async () => {
    const clock = { now: 1000 };
    const shared = together(clock);
    const gateways = [new Buckets({ shares: true }), new Buckets({ shares: true })];
    const rate: Rate = { emissionMs: 1, burst: 1000 };
    let allowed = 0;
    for (let tenth = 0; tenth < 200; tenth += 1) {
      for (let request = 0; request < 90; request += 1) {
        for (const gateway of gateways) if (gateway.take('a', rate, clock.now).allowed) allowed += 1;
        clock.now += 100 / 90;
      }
      for (const gateway of gateways) await gateway.share(shared, () => clock.now);
    }
    // 20 s at 1,000/s, the burst, and what both may let through between two exchanges.
    expect(allowed).toBeGreaterThan(20_000);
    expect(allowed).toBeLessThanOrEqual(20_000 + 1000 + 2 * 200);
  });

  test('without the others each limits on its own; afterwards they hear what still counts, and no more', async () => {
    const clock = { now: 1000 };
    const buckets = new Buckets({ shares: true });
    const away: SharedBuckets = { add: () => Promise.reject(new Error('away')) };
    for (let count = 0; count < 10; count += 1) buckets.take('a', TEN_A_SECOND, clock.now);
    await buckets.share(away, () => clock.now);
    expect(buckets.shared).toBe(false);
    expect(buckets.take('a', TEN_A_SECOND, clock.now).allowed).toBe(false);
    const told: number[] = [];
    clock.now += 300;
    await buckets.share(
      {
        add: async (entries) => {
          told.push(...entries.map(({ costMs, overMs }) => costMs - overMs));
          return entries.map(() => 700);
        },
      },
      () => clock.now,
    );
    expect(told).toEqual([700]);
    expect(buckets.shared).toBe(true);
  });

  test('what two gateways let through while they could not tell is not paid for when they can', async () => {
    const clock = { now: 1000 };
    const shared = together(clock);
    const gateways = [new Buckets({ shares: true }), new Buckets({ shares: true })];
    for (let round = 0; round < 300; round += 1) {
      for (const gateway of gateways) expect(gateway.take('a', TEN_A_SECOND, clock.now).allowed).toBe(true);
      for (const gateway of gateways)
        await gateway.share({ add: () => Promise.reject(new Error('away')) }, () => clock.now);
      clock.now += 100;
    }
    for (let round = 0; round < 2; round += 1) {
      for (const gateway of gateways) await gateway.share(shared, () => clock.now);
    }
    for (const gateway of gateways) expect(gateway.take('a', TEN_A_SECOND, clock.now).allowed).toBe(true);
  });

  test('what is let through while the others are asked is told them next, and counts meanwhile', async () => {
    const buckets = new Buckets({ shares: true });
    const told: number[] = [];
    const answer = Promise.withResolvers<void>();
    const others: SharedBuckets = {
      add: async (entries) => {
        told.push(...entries.map(({ costMs }) => costMs));
        await answer.promise;
        return entries.map(({ costMs }) => costMs);
      },
    };
    for (let count = 0; count < 4; count += 1) buckets.take('a', TEN_A_SECOND, 1000);
    const sharing = buckets.share(others, () => 1000);
    for (let count = 0; count < 5; count += 1) buckets.take('a', TEN_A_SECOND, 1000);
    answer.resolve();
    await sharing;
    expect(buckets.take('a', TEN_A_SECOND, 1000)).toMatchObject({ allowed: true, remaining: 0 });
    await buckets.share(others, () => 1000);
    expect(told).toEqual([400, 600]);
  });

  test('the others hear of a new bucket and of much use at once, and of little use once a second', async () => {
    const clock = { now: 1000 };
    const buckets = new Buckets({ shares: true });
    const shared = together(clock);
    const told: [number, number][] = [];
    const others: SharedBuckets = {
      add(entries) {
        told.push(...entries.map(({ costMs }): [number, number] => [clock.now, costMs]));
        return shared.add(entries);
      },
    };
    for (; clock.now < 4000; clock.now += 100) {
      const requests = clock.now === 2500 ? 150 : 3;
      for (let request = 0; request < requests; request += 1)
        buckets.take('a', { emissionMs: 1, burst: 1000 }, clock.now);
      await buckets.share(others, () => clock.now);
    }
    expect(told).toEqual([
      [1000, 3],
      [2000, 30],
      [2500, 162],
      [3000, 15],
    ]);
  });

  test('what nobody uses is forgotten', () => {
    const buckets = new Buckets({ shares: true });
    for (let key = 0; key < 1000; key += 1) buckets.take(`client ${key}`, TEN_A_SECOND, 1000);
    buckets.sweep(1000);
    expect(buckets.size).toBe(1000);
    buckets.sweep(5000);
    // Not told to the others yet, so kept.
    expect(buckets.size).toBe(1000);
    return buckets
      .share({ add: async (entries) => entries.map(() => 0) }, () => 5000)
      .then(() => {
        buckets.sweep(5000);
        expect(buckets.size).toBe(0);
      });
  });

  test('of very many, those that are near their limit stay', () => {
    const buckets = new Buckets({ shares: false });
    // The oldest of all.
    for (let request = 0; request < 10; request += 1) buckets.take('greedy', TEN_A_SECOND, 1000);
    for (let key = 0; buckets.size < 200_000; key += 1) buckets.take(`client ${key}`, TEN_A_SECOND, 1000);
    buckets.take('one more', TEN_A_SECOND, 1000);
    expect(buckets.size).toBeLessThanOrEqual(181_000);
    expect(buckets.size).toBeGreaterThan(170_000);
    expect(buckets.take('greedy', TEN_A_SECOND, 1000).allowed).toBe(false);
  });
});
