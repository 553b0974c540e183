import { type Role, TOKEN_AUDIENCE, TOKEN_ISSUER, type User } from '@skyrun/contracts';
import { SignJWT } from 'jose';
import { SIGNING_ALGORITHM, type SigningKey } from '../keys/keyring.ts';

export interface AccessTokenInput {
  readonly user: User;
  readonly projects: Readonly<Record<string, Role>>;
  readonly key: SigningKey;
  /** Unix milliseconds. */
  readonly now: number;
  readonly lifeSeconds: number;
}

export function signAccessToken({ user, projects, key, now, lifeSeconds }: AccessTokenInput): Promise<string> {
  const issuedAt = Math.floor(now / 1000);
  return new SignJWT({ email: user.email, admin: user.admin, projects })
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid: key.kid, typ: 'at+jwt' })
    .setSubject(user.id)
    .setIssuer(TOKEN_ISSUER)
    .setAudience(TOKEN_AUDIENCE)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + lifeSeconds)
    .sign(key.privateKey);
}
