import type { Member, Project, Role } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { Selectable } from 'kysely';
import type { Db, IdentityTables } from './tables.ts';

export interface NewProject {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly createdBy: string;
  readonly now: number;
}

/** False when the name is taken. */
export async function insertProject(db: Db, project: NewProject): Promise<boolean> {
  const row = await db
    .insertInto('projects')
    .values({
      id: project.id,
      name: project.name,
      display_name: project.displayName,
      created_by: project.createdBy,
      created_at: new Date(project.now),
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** How many projects a person has created; holds the person's row, so that creations of theirs come one after another. */
export async function lockCreated(db: Db, userId: string): Promise<number> {
  await db.selectFrom('users').select('id').where('id', '=', userId).forUpdate().execute();
  const { count } = await db
    .selectFrom('projects')
    .select((select) => select.fn.countAll<string>().as('count'))
    .where('created_by', '=', userId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** With the role that `userId` has in it, if any. */
export async function findProject(db: Db, name: string, userId: string): Promise<Project | null> {
  const row = await projectsSeenBy(db, userId).where('projects.name', '=', name).executeTakeFirst();
  return row ? toProject(row) : null;
}

export interface ProjectPage {
  readonly userId: string;
  /** Also those in which the person has no role. */
  readonly all: boolean;
  readonly afterName: string | null;
  readonly limit: number;
}

/** By name, ascending; one more than `limit` when there are more. */
export async function listProjects(db: Db, { userId, all, afterName, limit }: ProjectPage): Promise<Project[]> {
  let query = projectsSeenBy(db, userId);
  if (!all) query = query.where('members.role', 'is not', null);
  if (afterName !== null) query = query.where('projects.name', '>', afterName);
  const rows = await query
    .orderBy('projects.name')
    .limit(limit + 1)
    .execute();
  return rows.map(toProject);
}

function projectsSeenBy(db: Db, userId: string) {
  return db
    .selectFrom('projects')
    .leftJoin('members', (join) =>
      join.onRef('members.project_id', '=', 'projects.id').on('members.user_id', '=', userId),
    )
    .selectAll('projects')
    .select('members.role');
}

function toProject(row: Selectable<IdentityTables['projects']> & { role: Role | null }): Project {
  return {
    id: row.id,
    name: row.name,
    displayName: row.display_name,
    ...(row.role === null ? {} : { role: row.role }),
    createdAt: isoTime(row.created_at.getTime()),
  };
}

/** Holds the project's row until the transaction ends, so that changes of its members come one after another. */
export async function lockProject(db: Db, name: string): Promise<{ id: string } | null> {
  const row = await db.selectFrom('projects').select('id').where('name', '=', name).forUpdate().executeTakeFirst();
  return row ?? null;
}

export interface NewMember {
  readonly projectId: string;
  readonly userId: string;
  readonly role: Role;
  readonly now: number;
}

/** False when the person is a member already. */
export async function insertMember(db: Db, { projectId, userId, role, now }: NewMember): Promise<boolean> {
  const row = await db
    .insertInto('members')
    .values({ project_id: projectId, user_id: userId, role, added_at: new Date(now) })
    .onConflict((conflict) => conflict.columns(['project_id', 'user_id']).doNothing())
    .returning('user_id')
    .executeTakeFirst();
  return row !== undefined;
}

export async function findMemberRole(db: Db, projectId: string, userId: string): Promise<Role | null> {
  const row = await db
    .selectFrom('members')
    .select('role')
    .where('project_id', '=', projectId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row?.role ?? null;
}

export async function countOwners(db: Db, projectId: string): Promise<number> {
  const row = await db
    .selectFrom('members')
    .select((expression) => expression.fn.countAll<string>().as('owners'))
    .where('project_id', '=', projectId)
    .where('role', '=', 'owner')
    .executeTakeFirst();
  return Number(row?.owners ?? 0);
}

export async function deleteMember(db: Db, projectId: string, userId: string): Promise<void> {
  await db.deleteFrom('members').where('project_id', '=', projectId).where('user_id', '=', userId).execute();
}

export interface MemberPage {
  readonly project: string;
  readonly afterUserId: string | null;
  readonly limit: number;
}

/** By user id, so the longest known person comes first; one more than `limit` when there are more. */
export async function listMembers(db: Db, { project, afterUserId, limit }: MemberPage): Promise<Member[]> {
  let query = db
    .selectFrom('members')
    .innerJoin('projects', 'projects.id', 'members.project_id')
    .innerJoin('users', 'users.id', 'members.user_id')
    .select(['members.user_id', 'users.email', 'members.role', 'members.added_at'])
    .where('projects.name', '=', project);
  if (afterUserId !== null) query = query.where('members.user_id', '>', afterUserId);
  const rows = await query
    .orderBy('members.user_id')
    .limit(limit + 1)
    .execute();
  return rows.map((row) => ({
    userId: row.user_id,
    email: row.email,
    role: row.role,
    addedAt: isoTime(row.added_at.getTime()),
  }));
}

/** Project name → role, for the claims of a token; at most `limit`, the newest memberships first. */
export async function rolesOf(db: Db, userId: string, limit: number): Promise<Record<string, Role>> {
  const rows = await db
    .selectFrom('members')
    .innerJoin('projects', 'projects.id', 'members.project_id')
    .select(['projects.name', 'members.role'])
    .where('members.user_id', '=', userId)
    .orderBy('members.added_at', 'desc')
    .limit(limit)
    .execute();
  return Object.fromEntries(rows.map((row) => [row.name, row.role]));
}
