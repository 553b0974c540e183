import type { RefreshTokenState, SessionState } from '../sessions/decide.ts';
import type { Db } from './tables.ts';

export interface NewSession {
  readonly id: string;
  readonly userId: string;
  readonly now: number;
  readonly expiresAt: number;
}

export async function insertSession(db: Db, { id, userId, now, expiresAt }: NewSession): Promise<void> {
  await db
    .insertInto('sessions')
    .values({ id, user_id: userId, created_at: new Date(now), expires_at: new Date(expiresAt) })
    .execute();
}

export interface NewRefreshToken {
  readonly hash: Buffer;
  readonly sessionId: string;
  readonly now: number;
  readonly expiresAt: number;
}

export async function insertRefreshToken(db: Db, token: NewRefreshToken): Promise<void> {
  await db
    .insertInto('refresh_tokens')
    .values({
      hash: token.hash,
      session_id: token.sessionId,
      created_at: new Date(token.now),
      expires_at: new Date(token.expiresAt),
    })
    .execute();
}

export interface SessionOfToken {
  readonly sessionId: string;
  readonly userId: string;
  readonly session: SessionState;
  readonly token: RefreshTokenState;
  readonly successor: RefreshTokenState | null;
}

/** Locks the session, so that two refreshes of one family come one after another. */
export async function lockSessionOf(db: Db, hash: Buffer): Promise<SessionOfToken | null> {
  const session = await db
    .selectFrom('sessions')
    .innerJoin('refresh_tokens', 'refresh_tokens.session_id', 'sessions.id')
    .select(['sessions.id', 'sessions.user_id', 'sessions.expires_at', 'sessions.revoked_at'])
    .where('refresh_tokens.hash', '=', hash)
    .forUpdate('sessions')
    .executeTakeFirst();
  if (!session) return null;
  // Read after the lock is held: what another refresh wrote meanwhile is seen.
  const token = await db
    .selectFrom('refresh_tokens')
    .select(['expires_at', 'used_at', 'successor_hash'])
    .where('hash', '=', hash)
    .executeTakeFirst();
  if (!token) return null;
  const successor = token.successor_hash
    ? await db
        .selectFrom('refresh_tokens')
        .select(['expires_at', 'used_at'])
        .where('hash', '=', token.successor_hash)
        .executeTakeFirst()
    : undefined;
  return {
    sessionId: session.id,
    userId: session.user_id,
    session: { expiresAt: session.expires_at.getTime(), revokedAt: session.revoked_at?.getTime() ?? null },
    token: toState(token),
    successor: successor ? toState(successor) : null,
  };
}

function toState(row: { expires_at: Date; used_at: Date | null }): RefreshTokenState {
  return { expiresAt: row.expires_at.getTime(), usedAt: row.used_at?.getTime() ?? null };
}

export async function markUsed(db: Db, hash: Buffer, successorHash: Buffer, now: number): Promise<void> {
  await db
    .updateTable('refresh_tokens')
    .set({ used_at: new Date(now), successor_hash: successorHash })
    .where('hash', '=', hash)
    .execute();
}

export async function revokeSession(db: Db, id: string, reason: string, now: number): Promise<void> {
  await db
    .updateTable('sessions')
    .set({ revoked_at: new Date(now), revoked_reason: reason })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .execute();
}

/** Sessions whose life is over, with their tokens. */
export async function deleteExpiredSessions(db: Db, before: number): Promise<void> {
  await db.deleteFrom('sessions').where('expires_at', '<', new Date(before)).execute();
}
