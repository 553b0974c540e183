import { createHash } from 'node:crypto';
import { OPERATIONS, Problem, ROLE_PERMISSIONS, type Role } from '@skyrun/contracts';
import type { Clock } from '../clock.ts';
import type { Client } from '../http/client.ts';
import type { Caller } from './authenticator.ts';

/** An answer is believed so long: a revoked key is refused after at most this. */
const KNOWN_MS = 5_000;
const MAX_KNOWN = 10_000;

export interface KeyCaller extends Caller {
  readonly kind: 'key';
  readonly project: string;
  readonly role: Role;
}

/** Asks identity whose an API key is, and remembers it for a few seconds. Only the key's digest leaves the process. */
export function createKeyBook(identity: Pick<Client, 'call'>, clock: Clock) {
  const known = new Map<string, { readonly caller: Promise<KeyCaller | null>; readonly until: number }>();

  async function ask(digest: string): Promise<KeyCaller | null> {
    const { key } = await identity.call(OPERATIONS.identifyApiKey, { body: { digest } });
    if (key === null) return null;
    const { id, name, project, role, until } = key;
    const expiresAt = until === null ? Number.POSITIVE_INFINITY : Date.parse(until);
    return { kind: 'key', userId: id, email: name, admin: false, expiresAt, project, role };
  }

  return {
    /** @throws Problem `auth.invalid_token` */
    async identify(key: string): Promise<KeyCaller> {
      const digest = createHash('sha256').update(key).digest('hex');
      const now = clock.now();
      let entry = known.get(digest);
      if (entry === undefined || entry.until <= now) {
        const asking = ask(digest);
        entry = { caller: asking, until: now + KNOWN_MS };
        if (known.size >= MAX_KNOWN) known.clear();
        known.set(digest, entry);
        // Identity that did not answer is asked again by the next call.
        asking.catch(() => known.delete(digest));
      }
      const caller = await entry.caller;
      if (caller === null || caller.expiresAt <= now) {
        throw new Problem('auth.invalid_token', {
          detail: 'no such API key, or it was revoked or has expired; make a new one',
        });
      }
      return caller;
    },
  };
}

export function mayByKey({ role, project }: KeyCaller, permission: string, asked: string | null): boolean {
  const permissions: readonly string[] = ROLE_PERMISSIONS[role];
  return asked === project && permissions.includes(permission);
}
