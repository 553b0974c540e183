import { describe, expect, it } from 'vitest';
import { decideRefresh, REUSE_GRACE_MS, type RefreshTokenState, type SessionState } from './decide.ts';

const NOW = 1_000_000_000;
const fresh: RefreshTokenState = { expiresAt: NOW + 1, usedAt: null };
const usedAgo = (ms: number): RefreshTokenState => ({ expiresAt: NOW + 1, usedAt: NOW - ms });
const alive: SessionState = { expiresAt: NOW + 1, revokedAt: null };

describe('decideRefresh', () => {
  it.each<[string, RefreshTokenState, RefreshTokenState | null, SessionState, string]>([
    ['an unused token', fresh, null, alive, 'rotate'],
    ['an unused token at its end', { expiresAt: NOW, usedAt: null }, null, alive, 'expired'],
    ['an unused token of a session at its end', fresh, null, { expiresAt: NOW, revokedAt: null }, 'expired'],
    ['an unused token of a revoked session', fresh, null, { ...alive, revokedAt: NOW - 1 }, 'revoked'],
    ['a retry at once', usedAgo(0), fresh, alive, 'repeat'],
    ['a retry at the end of the grace', usedAgo(REUSE_GRACE_MS), fresh, alive, 'repeat'],
    ['a retry after the grace', usedAgo(REUSE_GRACE_MS + 1), fresh, alive, 'reused'],
    ['a retry when the next one was used', usedAgo(1), usedAgo(0), alive, 'reused'],
    ['a used token whose next one is gone', usedAgo(1), null, alive, 'reused'],
    ['a used token past its end', { expiresAt: NOW - 1, usedAt: NOW - 99_999 }, fresh, alive, 'reused'],
    ['a used token of a revoked session', usedAgo(1), fresh, { ...alive, revokedAt: NOW }, 'revoked'],
  ])('%s', (_, token, successor, session, expected) => {
    const decision = decideRefresh(token, successor, session, NOW);
    expect(decision.kind === 'invalid' ? decision.reason : decision.kind).toBe(expected);
  });
});
