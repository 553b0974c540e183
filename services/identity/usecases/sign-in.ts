import { createHash } from 'node:crypto';
import { Problem, type Tokens } from '@skyrun/contracts';
import type { IdentityContext, Origin } from '../context.ts';
import { appendAudit } from '../store/audit.ts';
import { clearFailures, readFailures, updateFailures } from '../store/failures.ts';
import { type Credential, findCredential, PASSWORD_PROVIDER, putCredential } from '../store/users.ts';
import { ACCOUNT_POLICY, ADDRESS_POLICY, afterFailure, remainingLock } from '../throttle/decide.ts';
import { openSession } from './issue-tokens.ts';

export interface SignIn {
  readonly email: string;
  readonly password: string;
  readonly origin: Origin;
}

/**
 * The lock is looked at inside a hashing slot, so a burst of parallel guesses gets at most as many tries past it as
 * there are slots.
 * @throws Problem `auth.invalid_credentials`, the same in content and time for a wrong password and an unknown
 * e-mail; `auth.throttled` with `Retry-After` without looking at the password.
 */
export async function signIn({ email, password, origin }: SignIn, context: IdentityContext): Promise<Tokens> {
  const address = origin.address ?? 'unknown';
  const accountKey = throttleKey('account', email, address);
  const addressKey = throttleKey('address', address);

  const found = await context.passwords.inSlot(async (check) => {
    await refuseWhileLocked([accountKey, addressKey], context);
    const credential = await findCredential(context.db, PASSWORD_PROVIDER, email);
    const { ok, outdated } = await check(credential?.secret ?? null, password);
    if (!ok || !credential) {
      await recordFailure({ accountKey, addressKey, credential, origin }, context);
      throw new Problem('auth.invalid_credentials', { detail: 'check the e-mail and the password' });
    }
    return { credential, outdated };
  });

  const { user } = found.credential;
  const renewed = found.outdated ? await context.passwords.hash(password) : null;
  return context.inTransaction(async (db) => {
    const now = context.clock.now();
    await clearFailures(db, accountKey);
    if (renewed !== null) {
      await putCredential(db, {
        provider: PASSWORD_PROVIDER,
        subject: email,
        userId: user.id,
        secret: renewed,
        now,
      });
    }
    await appendAudit(db, {
      at: now,
      actorId: user.id,
      action: 'session.open',
      target: `users/${user.id}`,
      address: origin.address,
    });
    return openSession(db, user, context);
  });
}

async function refuseWhileLocked(keys: readonly string[], { db, clock }: IdentityContext): Promise<void> {
  const now = clock.now();
  const states = await readFailures(db, keys);
  const waitMs = Math.max(...keys.map((key) => remainingLock(states.get(key) ?? null, now)));
  if (waitMs === 0) return;
  const seconds = Math.ceil(waitMs / 1000);
  throw new Problem('auth.throttled', {
    detail: `too many failed attempts; try again in ${seconds} s`,
    retryAfterSeconds: seconds,
  });
}

interface Failure {
  readonly accountKey: string;
  readonly addressKey: string;
  readonly credential: Credential | null;
  readonly origin: Origin;
}

async function recordFailure(
  { accountKey, addressKey, credential, origin }: Failure,
  context: IdentityContext,
): Promise<void> {
  await context.inTransaction(async (db) => {
    const now = context.clock.now();
    await updateFailures(db, accountKey, (state) => afterFailure(state, now, ACCOUNT_POLICY));
    await updateFailures(db, addressKey, (state) => afterFailure(state, now, ADDRESS_POLICY));
    await appendAudit(db, {
      at: now,
      actorId: null,
      action: 'session.refuse',
      target: credential ? `users/${credential.user.id}` : 'users/unknown',
      address: origin.address,
    });
  });
}

function throttleKey(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('base64url');
}
