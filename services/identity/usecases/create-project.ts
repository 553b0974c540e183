import { type EventDraft, Problem, type Project } from '@skyrun/contracts';
import { isoTime, newId } from '@skyrun/kit';
import type { IdentityContext, Origin } from '../context.ts';
import { appendAudit } from '../store/audit.ts';
import { insertMember, insertProject, lockCreated } from '../store/projects.ts';
import type { Db } from '../store/tables.ts';

export interface CreateProject {
  readonly name: string;
  readonly displayName?: string | undefined;
  readonly ownerId: string;
  readonly origin: Origin;
}

/**
 * Each project has a free tier of its own, so people have a bound on how many they create; giving a project away does not
 * make room. Administrators have none.
 *
 * @throws Problem `resource.already_exists`, `resource.limit_reached`
 */
export function createProject(
  input: CreateProject & { readonly admin: boolean },
  context: IdentityContext,
): Promise<Project> {
  const most = context.config.SKYRUN_PROJECTS_PER_USER;
  return context.inTransaction(async (db, emit) => {
    if (!input.admin && (await lockCreated(db, input.ownerId)) >= most) {
      throw new Problem('resource.limit_reached', {
        detail: `you may create ${most} ${most === 1 ? 'project' : 'projects'}; ask an administrator to create this one and add you to it`,
      });
    }
    const project = await addProject(db, emit, input, context);
    if (!project) {
      throw new Problem('resource.already_exists', {
        detail: `the project name ${input.name} is taken; choose another`,
        errors: [{ field: '/name', message: 'is taken' }],
      });
    }
    return project;
  });
}

/** A project with its first owner. Null when the name is taken. */
export async function addProject(
  db: Db,
  emit: (drafts: readonly EventDraft[]) => Promise<void>,
  { name, displayName = name, ownerId, origin }: CreateProject,
  { clock }: IdentityContext,
): Promise<Project | null> {
  const now = clock.now();
  const id = newId('project', clock);
  if (!(await insertProject(db, { id, name, displayName, createdBy: ownerId, now }))) return null;
  await insertMember(db, { projectId: id, userId: ownerId, role: 'owner', now });
  await appendAudit(db, {
    at: now,
    actorId: ownerId,
    action: 'project.create',
    target: `projects/${name}`,
    address: origin.address,
  });
  const subject = `projects/${name}`;
  await emit([
    {
      type: 'skyrun.project.created.v1',
      subject,
      project: name,
      data: { id, name, displayName, createdBy: ownerId },
    },
    { type: 'skyrun.member.added.v1', subject, project: name, data: { project: name, userId: ownerId, role: 'owner' } },
  ]);
  return { id, name, displayName, role: 'owner', createdAt: isoTime(now) };
}
