import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KeyPolicy, type KeyState, planKeys } from './plan.ts';

const policy: KeyPolicy = { rotateEveryMs: 1_000, activationMs: 50, retireAfterMs: 100 };
const NOW = 10_000;
const key = (kid: string, age: number, usable = true): KeyState => ({ kid, createdAt: NOW - age, usable });

describe('planKeys', () => {
  it.each<[string, KeyState[], ReturnType<typeof planKeys>]>([
    ['no key', [], { create: true, sign: null, remove: [] }],
    ['the first key signs at once', [key('a', 0)], { create: false, sign: 'a', remove: [] }],
    ['a key in its prime', [key('a', 999)], { create: false, sign: 'a', remove: [] }],
    ['an old key gets a successor', [key('a', 1_000)], { create: true, sign: 'a', remove: [] }],
    ['a successor is published first', [key('a', 1_049), key('b', 49)], { create: false, sign: 'a', remove: [] }],
    ['a successor signs then', [key('a', 1_050), key('b', 50)], { create: false, sign: 'b', remove: [] }],
    ['the old one stays for its tokens', [key('a', 1_149), key('b', 149)], { create: false, sign: 'b', remove: [] }],
    ['and goes', [key('a', 1_150), key('b', 150)], { create: false, sign: 'b', remove: ['a'] }],
    ['a key of another secret never signs', [key('x', 10, false)], { create: true, sign: null, remove: [] }],
    ['it stays for its tokens', [key('x', 500, false), key('a', 20)], { create: false, sign: 'a', remove: [] }],
    ['and goes', [key('x', 500, false), key('a', 150)], { create: false, sign: 'a', remove: ['x'] }],
    [
      'order of the list does not matter',
      [key('b', 150), key('a', 1_150)],
      { create: false, sign: 'b', remove: ['a'] },
    ],
  ])('%s', (_, keys, expected) => {
    expect(planKeys(keys, NOW, policy)).toEqual(expected);
  });

  it('always signs, and keeps every key until its last token is over, for replicas that plan often enough', () => {
    const tokenLifeMs = 80;
    const longestGapMs = policy.retireAfterMs - tokenLifeMs;
    const gap = fc.integer({ min: 1, max: longestGapMs });
    fc.assert(
      fc.property(fc.array(gap, { minLength: 200, maxLength: 400 }), (gaps) => {
        let keys: KeyState[] = [];
        const usedUntil = new Map<string, number>();
        let now = 0;
        for (const gapMs of gaps) {
          let plan = planKeys(keys, now, policy);
          if (plan.create) {
            keys = [...keys, { kid: `k${now}`, createdAt: now, usable: true }];
            plan = planKeys(keys, now, policy);
          }
          keys = keys.filter(({ kid }) => !plan.remove.includes(kid));
          for (const kid of plan.remove) expect(now).toBeGreaterThanOrEqual((usedUntil.get(kid) ?? 0) + tokenLifeMs);
          expect(keys.some(({ kid }) => kid === plan.sign)).toBe(true);
          // Until it plans again, a replica signs with what it found now.
          now += gapMs;
          if (plan.sign !== null) usedUntil.set(plan.sign, now);
        }
        expect(keys.length).toBeLessThanOrEqual(2);
      }),
      { numRuns: 50 },
    );
  });
});
