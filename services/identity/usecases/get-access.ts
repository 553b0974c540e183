import type { Role } from '@skyrun/contracts';
import type { IdentityContext } from '../context.ts';
import { findProject } from '../store/projects.ts';

/** What other services ask when a token does not name the project. */
export async function getAccess(
  { userId, project }: { userId: string; project: string },
  { db }: IdentityContext,
): Promise<{ role: Role | null; projectExists: boolean }> {
  const found = await findProject(db, project, userId);
  return { role: found?.role ?? null, projectExists: found !== null };
}
