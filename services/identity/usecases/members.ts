import { type Member, Problem, type Role } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { IdentityContext, Origin } from '../context.ts';
import { appendAudit } from '../store/audit.ts';
import { countOwners, deleteMember, findMemberRole, insertMember, lockProject } from '../store/projects.ts';
import { findUserByEmail } from '../store/users.ts';

export interface AddMember {
  readonly project: string;
  readonly email: string;
  readonly role: Role;
  readonly origin: Origin;
}

/** @throws Problem `resource.not_found` (project or person), `resource.already_exists` */
export function addMember({ project, email, role, origin }: AddMember, context: IdentityContext): Promise<Member> {
  return context.inTransaction(async (db, emit) => {
    const now = context.clock.now();
    const { id } = (await lockProject(db, project)) ?? notFound(`there is no project ${project}`);
    const user = (await findUserByEmail(db, email)) ?? notFound('nobody here has this e-mail; ask them to sign up');
    if (!(await insertMember(db, { projectId: id, userId: user.id, role, now }))) {
      throw new Problem('resource.already_exists', { detail: `${email} is a member of ${project} already` });
    }
    await appendAudit(db, {
      at: now,
      actorId: origin.userId,
      action: 'member.add',
      target: `projects/${project}`,
      address: origin.address,
      details: { userId: user.id, role },
    });
    const data = { project, userId: user.id, role };
    await emit([{ type: 'skyrun.member.added.v1', subject: `projects/${project}`, project, data }]);
    return { userId: user.id, email: user.email, role, addedAt: isoTime(now) };
  });
}

export interface RemoveMember {
  readonly project: string;
  readonly userId: string;
  readonly origin: Origin;
}

/** @throws Problem `resource.not_found`, `resource.in_use` when it is the last owner */
export function removeMember({ project, userId, origin }: RemoveMember, context: IdentityContext): Promise<void> {
  return context.inTransaction(async (db, emit) => {
    // The lock makes two owners who remove each other come one after another: one of them stays.
    const { id } = (await lockProject(db, project)) ?? notFound(`there is no project ${project}`);
    const role = (await findMemberRole(db, id, userId)) ?? notFound(`${userId} is no member of ${project}`);
    if (role === 'owner' && (await countOwners(db, id)) === 1) {
      throw new Problem('resource.in_use', { detail: 'a project keeps at least one owner; add another one first' });
    }
    await deleteMember(db, id, userId);
    await appendAudit(db, {
      at: context.clock.now(),
      actorId: origin.userId,
      action: 'member.remove',
      target: `projects/${project}`,
      address: origin.address,
      details: { userId },
    });
    const data = { project, userId };
    await emit([{ type: 'skyrun.member.removed.v1', subject: `projects/${project}`, project, data }]);
  });
}

function notFound(detail: string): never {
  throw new Problem('resource.not_found', { detail });
}
