import type { IncomingHttpHeaders } from 'node:http';
import type { Permission } from '@skyrun/contracts';

/**
 * Who is calling. `internal` is a part of the platform itself and may do what its permission says and no more; `key` is an API
 * key, which may do what its role may in its project.
 */
export interface Caller {
  readonly kind: 'user' | 'internal' | 'key';
  /** Of the person, or of the key; empty for internal callers. */
  readonly userId: string;
  /** Of the person; the name of the key. */
  readonly email: string;
  readonly admin: boolean;
  /** Unix milliseconds at which the credentials end; Infinity for internal callers and for keys without an end. */
  readonly expiresAt: number;
}

export interface Authenticator {
  /** Null when the request carries no credentials. Throws Problem `auth.invalid_token` when they do not hold. */
  authenticate(headers: IncomingHttpHeaders): Promise<Caller | null>;
  /** Whether the caller has the permission, in `project` where the permission is a project's. */
  can(caller: Caller | null, permission: Permission, project: string | null): Promise<boolean>;
}
