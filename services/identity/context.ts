import type { EventDraft } from '@skyrun/contracts';
import type { Clock, Logger } from '@skyrun/kit';
import type { IdentityConfig } from './config.ts';
import type { Keyring } from './keys/keyring.ts';
import type { Passwords } from './passwords/passwords.ts';
import type { RefreshTokens } from './sessions/refresh-token.ts';
import type { Db } from './store/tables.ts';

/** What use cases work with. */
export interface IdentityContext {
  readonly db: Db;
  /**
   * One transaction: all or nothing. `emit` writes events into the outbox of the same transaction, so there is no
   * change without its event and no event without its change.
   */
  readonly inTransaction: <T>(
    work: (db: Db, emit: (drafts: readonly EventDraft[]) => Promise<void>) => Promise<T>,
  ) => Promise<T>;
  readonly config: IdentityConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly passwords: Passwords;
  readonly keyring: Keyring;
  readonly refreshTokens: RefreshTokens;
}

/** Who asks: for the audit log and throttling. */
export interface Origin {
  readonly userId: string | null;
  /** Network address of the client; null for the platform itself. */
  readonly address: string | null;
}
