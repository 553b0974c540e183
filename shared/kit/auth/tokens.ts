import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import {
  API_KEY,
  accessClaims,
  isProjectPermission,
  OPERATIONS,
  type Permission,
  Problem,
  ROLE_PERMISSIONS,
  type Role,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
} from '@skyrun/contracts';
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Clock } from '../clock.ts';
import { createClient } from '../http/client.ts';
import { createKeyBook, type KeyCaller, mayByKey } from './api-keys.ts';
import type { Authenticator, Caller } from './authenticator.ts';

export interface TokenAuthenticatorOptions {
  /** Address of identity: its keys verify tokens, and it answers access look-ups. */
  readonly identityUrl: string;
  readonly internalToken: string;
  readonly clock: Clock;
  /** Where keys come from; identity's JWKS by default. */
  readonly keys?: JWTVerifyGetKey;
}

/** A look-up is believed so long; a removed member loses access after at most the token's life plus this. */
const ACCESS_TTL_MS = 5_000;
const ACCESS_CACHE_SIZE = 10_000;

interface UserCaller extends Caller {
  readonly projects: Readonly<Record<string, Role>>;
}

/**
 * Verifies access tokens by identity's public keys. A project that the token does not name (created or joined
 * after it was signed) is asked of identity and remembered for a few seconds.
 */
export function createTokenAuthenticator(options: TokenAuthenticatorOptions): Authenticator {
  const { identityUrl, internalToken, clock } = options;
  const keys =
    options.keys ??
    createRemoteJWKSet(new URL('/api/v1/auth/keys', identityUrl), { cooldownDuration: 1000, cacheMaxAge: 600_000 });
  const identity = createClient({ baseUrl: identityUrl, token: () => internalToken });
  const internalDigest = sha256(internalToken);
  const keyBook = createKeyBook(identity, clock);
  const looked = new Map<string, { role: Role | null; until: number }>();
  const existing = new Set<string>();
  const claimed = new WeakMap<Caller, UserCaller['projects']>();

  async function verify(token: string): Promise<Caller> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: TOKEN_ISSUER,
        audience: TOKEN_AUDIENCE,
        currentDate: new Date(clock.now()),
      });
      const claims = accessClaims.parse(payload);
      const caller: Caller = {
        kind: 'user',
        userId: claims.sub,
        email: claims.email,
        admin: claims.admin,
        expiresAt: claims.exp * 1000,
      };
      claimed.set(caller, claims.projects);
      return caller;
    } catch (error) {
      if (isKeysAway(error)) {
        throw new Problem('platform.unavailable', { detail: 'identity does not answer', cause: error });
      }
      const detail = error instanceof errors.JWTExpired ? 'the token has expired; refresh it' : 'sign in again';
      throw new Problem('auth.invalid_token', { detail, cause: error });
    }
  }

  async function roleIn(caller: Caller, project: string): Promise<Role | null> {
    const role = claimed.get(caller)?.[project];
    if (role) return role;
    const key = `${caller.userId} ${project}`;
    const known = looked.get(key);
    if (known && known.until > clock.now()) return known.role;
    const access = await identity.call(OPERATIONS.getAccess, { query: { userId: caller.userId, project } });
    if (looked.size >= ACCESS_CACHE_SIZE) looked.clear();
    looked.set(key, { role: access.role, until: clock.now() + ACCESS_TTL_MS });
    return access.role;
  }

  /** A member's role shows that the project is there; an administrator has none. Names are never used again. */
  async function mustExist(project: string): Promise<void> {
    if (existing.has(project)) return;
    const access = await identity.call(OPERATIONS.getAccess, { query: { userId: '', project } });
    if (!access.projectExists) throw new Problem('resource.not_found', { detail: `there is no project ${project}` });
    if (existing.size >= ACCESS_CACHE_SIZE) existing.clear();
    existing.add(project);
  }

  return {
    async authenticate(headers: IncomingHttpHeaders) {
      const header = headers.authorization;
      const given = headers['x-api-key'];
      if (header === undefined) {
        if (given === undefined) return null;
        if (typeof given !== 'string' || !API_KEY.test(given)) {
          throw new Problem('auth.invalid_token', { detail: 'expected X-API-Key: sk_…' });
        }
        return keyBook.identify(given);
      }
      const token = /^Bearer +(\S+)$/i.exec(header)?.[1];
      if (!token) throw new Problem('auth.invalid_token', { detail: 'expected Authorization: Bearer <token>' });
      if (timingSafeEqual(sha256(token), internalDigest)) {
        return { kind: 'internal', userId: '', email: '', admin: false, expiresAt: Number.POSITIVE_INFINITY };
      }
      return API_KEY.test(token) ? keyBook.identify(token) : verify(token);
    },
    async can(caller: Caller | null, permission: Permission, project: string | null) {
      if (permission === 'public') return true;
      if (!caller) return false;
      if (permission === 'internal') return caller.kind === 'internal';
      if (caller.kind === 'internal') return false;
      if (isKey(caller)) return mayByKey(caller, permission, project);
      if (caller.admin && project !== null) await mustExist(project);
      if (permission === 'authenticated' || caller.admin) return true;
      if (!isProjectPermission(permission) || project === null) return false;
      const role = await roleIn(caller, project);
      return role !== null && ROLE_PERMISSIONS[role].includes(permission);
    },
  };
}

/** Identity did not tell its keys, or told no key set: that says nothing of the token. Of jose's errors, only those have no code of their own. */
function isKeysAway(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error instanceof TypeError)
    return true;
  return error instanceof errors.JOSEError && error.code === errors.JOSEError.code;
}

function isKey(caller: Caller): caller is KeyCaller {
  return caller.kind === 'key';
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
