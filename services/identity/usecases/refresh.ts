import { Problem, type Tokens } from '@skyrun/contracts';
import type { IdentityContext, Origin } from '../context.ts';
import { decideRefresh } from '../sessions/decide.ts';
import { appendAudit } from '../store/audit.ts';
import { lockSessionOf, markUsed, revokeSession } from '../store/sessions.ts';
import { findUser } from '../store/users.ts';
import { issueTokens, storeRefreshToken } from './issue-tokens.ts';

export interface Refresh {
  readonly refreshToken: string;
  readonly origin: Origin;
}

/** @throws Problem `auth.invalid_token`, `auth.refresh_reused` (the session is over then) */
export async function refresh({ refreshToken, origin }: Refresh, context: IdentityContext): Promise<Tokens> {
  const { clock, refreshTokens } = context;
  const hash = refreshTokens.hash(refreshToken);
  const result = await context.inTransaction(async (db): Promise<Tokens | Problem> => {
    const found = await lockSessionOf(db, hash);
    const user = found ? await findUser(db, found.userId) : null;
    if (!found || !user) return new Problem('auth.invalid_token', { detail: 'sign in again' });
    const now = clock.now();
    const decision = decideRefresh(found.token, found.successor, found.session, now);
    const next = refreshTokens.next(refreshToken);
    switch (decision.kind) {
      case 'rotate':
        await markUsed(db, hash, refreshTokens.hash(next), now);
        await storeRefreshToken(db, { refreshToken: next, sessionId: found.sessionId }, context);
        return issueTokens(db, { user, refreshToken: next }, context);
      case 'repeat':
        return issueTokens(db, { user, refreshToken: next }, context);
      case 'invalid':
        return new Problem('auth.invalid_token', {
          detail: `the session has ${ended(decision.reason)}; sign in again`,
        });
      case 'reused':
        await revokeSession(db, found.sessionId, 'refresh_reused', now);
        await appendAudit(db, {
          at: now,
          actorId: user.id,
          action: 'session.revoke',
          target: `sessions/${found.sessionId}`,
          address: origin.address,
          details: { reason: 'refresh_reused' },
        });
        return new Problem('auth.refresh_reused', { detail: 'the session was ended to be safe; sign in again' });
    }
  });
  // Thrown outside of the transaction: the revocation must be committed.
  if (result instanceof Problem) throw result;
  return result;
}

function ended(reason: 'revoked' | 'expired'): string {
  return reason === 'revoked' ? 'been ended' : 'expired';
}
