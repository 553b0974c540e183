import type { Tokens, User } from '@skyrun/contracts';
import { newId } from '@skyrun/kit';
import type { IdentityContext } from '../context.ts';
import { signAccessToken } from '../sessions/access-token.ts';
import { rolesOf } from '../store/projects.ts';
import { insertRefreshToken, insertSession } from '../store/sessions.ts';
import type { Db } from '../store/tables.ts';

const DAY_MS = 86_400_000;

/** A token must fit a request header: further projects are asked of `getAccess` when they are used. */
const MAX_PROJECTS_IN_TOKEN = 50;

/** A new session with its first refresh token. */
export async function openSession(db: Db, user: User, context: IdentityContext): Promise<Tokens> {
  const { clock, config, refreshTokens } = context;
  const now = clock.now();
  const sessionId = newId('session', clock);
  const expiresAt = now + config.SKYRUN_SESSION_MAX_DAYS * DAY_MS;
  await insertSession(db, { id: sessionId, userId: user.id, now, expiresAt });
  const refreshToken = refreshTokens.first();
  await storeRefreshToken(db, { refreshToken, sessionId }, context);
  return issueTokens(db, { user, refreshToken }, context);
}

export async function storeRefreshToken(
  db: Db,
  { refreshToken, sessionId }: { refreshToken: string; sessionId: string },
  { clock, config, refreshTokens }: IdentityContext,
): Promise<void> {
  const now = clock.now();
  const expiresAt = now + config.SKYRUN_SESSION_IDLE_DAYS * DAY_MS;
  await insertRefreshToken(db, { hash: refreshTokens.hash(refreshToken), sessionId, now, expiresAt });
}

export async function issueTokens(
  db: Db,
  { user, refreshToken }: { user: User; refreshToken: string },
  { clock, config, keyring }: IdentityContext,
): Promise<Tokens> {
  const lifeSeconds = config.SKYRUN_ACCESS_TOKEN_SECONDS;
  const projects = await rolesOf(db, user.id, MAX_PROJECTS_IN_TOKEN);
  const accessToken = await signAccessToken({
    user,
    projects,
    key: keyring.signing(),
    now: clock.now(),
    lifeSeconds,
  });
  return { accessToken, tokenType: 'Bearer', expiresInSeconds: lifeSeconds, refreshToken, user };
}
