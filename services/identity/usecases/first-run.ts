import type { IdentityContext, Origin } from '../context.ts';
import { findUserByEmail } from '../store/users.ts';
import { addProject } from './create-project.ts';
import { createUser } from './create-user.ts';

const PLATFORM: Origin = { userId: null, address: null };

/** The first administrator and their project, once. What exists already is left as it is, whatever it looks like. */
export async function firstRun(context: IdentityContext): Promise<void> {
  const { SKYRUN_ADMIN_EMAIL: email, SKYRUN_ADMIN_PASSWORD: password, SKYRUN_FIRST_PROJECT: project } = context.config;
  if (email === undefined || password === undefined) return;
  const existing = await findUserByEmail(context.db, email);
  if (existing && !existing.admin) {
    context.logger.warn({ userId: existing.id }, 'SKYRUN_ADMIN_EMAIL names an account that is no administrator');
  }
  // Outside of the transaction: hashing takes long and a row lock should not.
  const passwordHash = existing ? null : await context.passwords.hash(password);
  await context.inTransaction(async (db, emit) => {
    if (passwordHash !== null) {
      const admin = { email, name: 'Administrator', passwordHash, admin: true, origin: PLATFORM };
      const created = await createUser(db, emit, admin, context);
      if (created) context.logger.info({ userId: created.id }, 'created the first administrator');
    }
    const owner = await findUserByEmail(db, email);
    if (!owner || project === undefined) return;
    const added = await addProject(db, emit, { name: project, ownerId: owner.id, origin: PLATFORM }, context);
    if (added) context.logger.info({ project }, 'created the first project');
  });
}
