import { parseOptions } from '@node-rs/argon2';
import { describe, expect, it } from 'vitest';
import { createPasswords, DECOY, isOutdated } from './passwords.ts';

describe('passwords', () => {
  const passwords = createPasswords();
  const check = (stored: string | null, password: string) => passwords.inSlot((verify) => verify(stored, password));

  it('verifies what it hashed, in any composition of the same characters', async () => {
    const stored = await passwords.hash('p\u00e4ssword with umlaut');
    expect(stored).toMatch(/^\$argon2id\$/);
    expect(await check(stored, 'pa\u0308ssword with umlaut')).toEqual({ ok: true, outdated: false });
    expect(await check(stored, 'passwOrd')).toMatchObject({ ok: false });
  });

  it('checks unknown people against a decoy of today’s costs, which nobody passes', async () => {
    expect(isOutdated(DECOY)).toBe(false);
    expect(parseOptions(DECOY)).toMatchObject({ algorithm: 2, memoryCost: 19_456, timeCost: 2 });
    expect(await check(null, 'x'.repeat(12))).toMatchObject({ ok: false });
  });

  it.each([
    ['$argon2id$v=19$m=4096,t=2,p=1$AubdDGiUQz4eFdQ4R+Pl+g$Y8F/agbN5L7uaNHPZtIzuvyJ5n7LEykqc0Lzlm3btvs', true],
    ['$argon2id$v=19$m=19456,t=1,p=1$AubdDGiUQz4eFdQ4R+Pl+g$Y8F/agbN5L7uaNHPZtIzuvyJ5n7LEykqc0Lzlm3btvs', true],
    ['$argon2i$v=19$m=19456,t=2,p=1$AubdDGiUQz4eFdQ4R+Pl+g$Y8F/agbN5L7uaNHPZtIzuvyJ5n7LEykqc0Lzlm3btvs', true],
  ])('%s is outdated: %s', (stored, expected) => {
    expect(isOutdated(stored)).toBe(expected);
  });

  it('runs as many at once as there are slots, and turns away who cannot wait', async () => {
    const narrow = createPasswords({ concurrency: 2, waiting: 3 });
    let running = 0;
    let most = 0;
    const attempts = Array.from({ length: 6 }, (_, n) =>
      narrow.inSlot(async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running -= 1;
        if (n === 0) throw new Error('a failing attempt gives its slot back');
        return n;
      }),
    );
    const results = await Promise.allSettled(attempts);
    expect(results.map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
    expect(results[5]).toMatchObject({ reason: { code: 'platform.unavailable' } });
    expect(most).toBe(2);
    expect(await narrow.inSlot(async () => 'free again')).toBe('free again');
  });
});
