import type { ApiKeyRole, Role } from '@skyrun/contracts';
import type { ColumnType, Generated, Kysely } from 'kysely';

/** Written as an instant; read back as one. */
type Instant = Date;
type Json = ColumnType<unknown, string, string>;

export interface IdentityTables {
  users: { id: string; email: string; name: string; admin: boolean; created_at: Instant };
  credentials: { provider: string; subject: string; user_id: string; secret: string | null; updated_at: Instant };
  projects: { id: string; name: string; display_name: string; created_by: string; created_at: Instant };
  members: { project_id: string; user_id: string; role: Role; added_at: Instant };
  sessions: {
    id: string;
    user_id: string;
    created_at: Instant;
    expires_at: Instant;
    revoked_at: Instant | null;
    revoked_reason: string | null;
  };
  refresh_tokens: {
    hash: Buffer;
    session_id: string;
    created_at: Instant;
    expires_at: Instant;
    used_at: Instant | null;
    successor_hash: Buffer | null;
  };
  signing_keys: { kid: string; public_jwk: Json; private_key: Buffer; created_at: Instant };
  sign_in_failures: { key: string; failures: number; last_at: Instant; locked_until: Instant };
  api_keys: {
    id: string;
    project_id: string;
    name: string;
    role: ApiKeyRole;
    hint: string;
    digest: Buffer;
    previous_digest: Buffer | null;
    previous_until: Instant | null;
    created_by: string;
    created_at: Instant;
    expires_at: Instant | null;
    rotated_at: Instant | null;
    last_used_at: Instant | null;
  };
  /** A bigint; the driver gives it as text. */
  api_keys_version: { version: string };
  audit_log: {
    id: Generated<string>;
    at: Instant;
    actor_id: string | null;
    action: string;
    target: string;
    address: string | null;
    details: Json;
  };
}

/** A pool or a transaction of identity's schema. */
export type Db = Kysely<IdentityTables>;
