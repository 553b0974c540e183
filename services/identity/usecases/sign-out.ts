import type { IdentityContext, Origin } from '../context.ts';
import { appendAudit } from '../store/audit.ts';
import { lockSessionOf, revokeSession } from '../store/sessions.ts';

export interface SignOut {
  readonly refreshToken: string;
  readonly origin: Origin;
}

/** Ends the session of any of its refresh tokens, used ones too. An unknown token is no error: it is signed out. */
export async function signOut({ refreshToken, origin }: SignOut, context: IdentityContext): Promise<void> {
  const { clock, refreshTokens } = context;
  await context.inTransaction(async (db) => {
    const found = await lockSessionOf(db, refreshTokens.hash(refreshToken));
    if (!found || found.session.revokedAt !== null) return;
    const now = clock.now();
    await revokeSession(db, found.sessionId, 'signed_out', now);
    await appendAudit(db, {
      at: now,
      actorId: found.userId,
      action: 'session.revoke',
      target: `sessions/${found.sessionId}`,
      address: origin.address,
      details: { reason: 'signed_out' },
    });
  });
}
