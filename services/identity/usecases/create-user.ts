import type { EventDraft, User } from '@skyrun/contracts';
import { newId } from '@skyrun/kit';
import type { IdentityContext, Origin } from '../context.ts';
import { appendAudit } from '../store/audit.ts';
import type { Db } from '../store/tables.ts';
import { insertUser, PASSWORD_PROVIDER, putCredential } from '../store/users.ts';

export interface CreateUser {
  readonly email: string;
  readonly name: string;
  readonly passwordHash: string;
  readonly admin: boolean;
  readonly origin: Origin;
}

/** A person with a password, and what tells of it. Null when the e-mail is taken. */
export async function createUser(
  db: Db,
  emit: (drafts: readonly EventDraft[]) => Promise<void>,
  { email, name, passwordHash, admin, origin }: CreateUser,
  { clock }: IdentityContext,
): Promise<User | null> {
  const now = clock.now();
  const user = await insertUser(db, { id: newId('user', clock), email, name, admin, now });
  if (!user) return null;
  await putCredential(db, {
    provider: PASSWORD_PROVIDER,
    subject: email,
    userId: user.id,
    secret: passwordHash,
    now,
  });
  await appendAudit(db, {
    at: now,
    actorId: user.id,
    action: 'user.create',
    target: `users/${user.id}`,
    address: origin.address,
    details: { admin },
  });
  await emit([{ type: 'skyrun.user.created.v1', subject: `users/${user.id}`, data: { id: user.id, email, admin } }]);
  return user;
}
