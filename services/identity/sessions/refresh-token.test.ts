import { describe, expect, it } from 'vitest';
import { createRefreshTokens } from './refresh-token.ts';

describe('refresh tokens', () => {
  const tokens = createRefreshTokens('s'.repeat(32));

  it('are random, and each has one successor', () => {
    const token = tokens.first();
    expect(token).toMatch(/^skr_[\w-]{43}$/);
    expect(tokens.first()).not.toBe(token);
    expect(tokens.next(token)).toBe(tokens.next(token));
    expect(tokens.next(token)).toMatch(/^skr_[\w-]{43}$/);
    expect(tokens.next(token)).not.toBe(token);
    expect(tokens.next(tokens.next(token))).not.toBe(tokens.next(token));
  });

  it('have successors that cannot be foretold without the secret', () => {
    const token = tokens.first();
    expect(createRefreshTokens('t'.repeat(32)).next(token)).not.toBe(tokens.next(token));
  });

  it('are stored as a digest', () => {
    expect(tokens.hash('skr_a')).toHaveLength(32);
    expect(tokens.hash('skr_a').equals(tokens.hash('skr_b'))).toBe(false);
  });
});
