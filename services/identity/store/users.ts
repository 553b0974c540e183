import type { User } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { Selectable } from 'kysely';
import type { Db, IdentityTables } from './tables.ts';

export const PASSWORD_PROVIDER = 'password';

export interface NewUser {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly admin: boolean;
  readonly now: number;
}

/** Null when the e-mail is taken. */
export async function insertUser(db: Db, { now, ...fields }: NewUser): Promise<User | null> {
  const row = await db
    .insertInto('users')
    .values({ ...fields, created_at: new Date(now) })
    .onConflict((conflict) => conflict.column('email').doNothing())
    .returningAll()
    .executeTakeFirst();
  return row ? toUser(row) : null;
}

export async function findUser(db: Db, id: string): Promise<User | null> {
  const row = await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
  return row ? toUser(row) : null;
}

export async function findUserByEmail(db: Db, email: string): Promise<User | null> {
  const row = await db.selectFrom('users').selectAll().where('email', '=', email).executeTakeFirst();
  return row ? toUser(row) : null;
}

export interface Credential {
  readonly user: User;
  readonly secret: string | null;
}

/** By provider and the provider's name for the person: an e-mail for passwords, `sub` for OIDC. */
export async function findCredential(db: Db, provider: string, subject: string): Promise<Credential | null> {
  const row = await db
    .selectFrom('credentials')
    .innerJoin('users', 'users.id', 'credentials.user_id')
    .selectAll('users')
    .select('credentials.secret')
    .where('provider', '=', provider)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return row ? { user: toUser(row), secret: row.secret } : null;
}

export interface NewCredential {
  readonly provider: string;
  readonly subject: string;
  readonly userId: string;
  readonly secret: string | null;
  readonly now: number;
}

export async function putCredential(db: Db, credential: NewCredential): Promise<void> {
  const { provider, subject, userId, secret, now } = credential;
  await db
    .insertInto('credentials')
    .values({ provider, subject, user_id: userId, secret, updated_at: new Date(now) })
    .onConflict((conflict) =>
      conflict.columns(['provider', 'subject']).doUpdateSet({ secret, updated_at: new Date(now) }),
    )
    .execute();
}

function toUser(row: Selectable<IdentityTables['users']>): User {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    admin: row.admin,
    createdAt: isoTime(row.created_at.getTime()),
  };
}
