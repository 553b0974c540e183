export interface RefreshTokenState {
  /** Unix milliseconds. */
  readonly expiresAt: number;
  readonly usedAt: number | null;
}

export interface SessionState {
  readonly expiresAt: number;
  readonly revokedAt: number | null;
}

/**
 * A used token still answers for so long, with the *same* successor, as long as that was not used itself: a client
 * that lost the answer, or two tabs that refresh at once, stay signed in. No second line of tokens ever exists,
 * so a thief who replays within the grace still shares one line with the owner, and the next use by either betrays it.
 */
export const REUSE_GRACE_MS = 10_000;

export type RefreshDecision =
  | { readonly kind: 'rotate' }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'reused' }
  | { readonly kind: 'invalid'; readonly reason: 'revoked' | 'expired' };

/**
 *   unused ──► rotate
 *   used, within the grace, successor unused ──► repeat
 *   used otherwise ──► reused: the whole session ends
 */
export function decideRefresh(
  token: RefreshTokenState,
  successor: RefreshTokenState | null,
  session: SessionState,
  now: number,
): RefreshDecision {
  if (session.revokedAt !== null) return { kind: 'invalid', reason: 'revoked' };
  if (session.expiresAt <= now) return { kind: 'invalid', reason: 'expired' };
  if (token.usedAt === null)
    return token.expiresAt <= now ? { kind: 'invalid', reason: 'expired' } : { kind: 'rotate' };
  const recent = now - token.usedAt <= REUSE_GRACE_MS;
  if (recent && successor !== null && successor.usedAt === null) return { kind: 'repeat' };
  return { kind: 'reused' };
}
