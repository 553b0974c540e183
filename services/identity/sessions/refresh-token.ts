import { createHash, createHmac, randomBytes } from 'node:crypto';
import { deriveKey } from '@skyrun/kit';

const PREFIX = 'skr_';

/** Makes refresh tokens. Only their SHA-256 is stored: 256 random bits need no slow hash. */
export interface RefreshTokens {
  first(): string;
  /** The token that follows; always the same one for the same token, so that a retry gets the same answer. */
  next(token: string): string;
  hash(token: string): Buffer;
}

export function createRefreshTokens(secret: string): RefreshTokens {
  const key = deriveKey(secret, 'skyrun identity refresh tokens');
  return {
    first: () => PREFIX + randomBytes(32).toString('base64url'),
    next: (token) => PREFIX + createHmac('sha256', key).update(token).digest('base64url'),
    hash: (token) => createHash('sha256').update(token).digest(),
  };
}
