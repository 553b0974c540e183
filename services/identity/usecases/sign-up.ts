import { Problem, type Tokens } from '@skyrun/contracts';
import type { IdentityContext, Origin } from '../context.ts';
import { createUser } from './create-user.ts';
import { openSession } from './issue-tokens.ts';

export interface SignUp {
  readonly email: string;
  readonly password: string;
  readonly name: string;
  readonly origin: Origin;
}

/** @throws Problem `auth.signup_disabled`, `resource.already_exists` */
export async function signUp({ email, password, name, origin }: SignUp, context: IdentityContext): Promise<Tokens> {
  if (!context.config.SKYRUN_SIGNUP_ENABLED) {
    throw new Problem('auth.signup_disabled', { detail: 'ask an administrator for an account' });
  }
  const passwordHash = await context.passwords.hash(password);
  return context.inTransaction(async (db, emit) => {
    const user = await createUser(db, emit, { email, name, passwordHash, admin: false, origin }, context);
    if (!user) {
      throw new Problem('resource.already_exists', { detail: 'there is an account with this e-mail; sign in instead' });
    }
    return openSession(db, user, context);
  });
}
