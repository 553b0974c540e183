import { OPERATIONS, type Tokens } from '@skyrun/contracts';
import { problemOf, until } from '@skyrun/testing';
import { describe, expect, it } from 'vitest';
import { ADMIN, INTERNAL_TOKEN } from '../identity.fixture.ts';
import { useIdentity } from '../running.fixture.ts';

const { identity, query, signUp, signIn } = useIdentity();

describe('projects', () => {
  it('belong to who makes them; others see neither them nor their members', async () => {
    const owner = await signUp();
    const stranger = await signUp();
    const project = await identity()
      .as(owner.accessToken)
      .call(OPERATIONS.createProject, { body: { name: 'shop' } });
    expect(project).toMatchObject({ name: 'shop', displayName: 'shop', role: 'owner' });
    // The owner's token was signed before: the look-up answers for it.
    expect(
      await identity()
        .as(owner.accessToken)
        .call(OPERATIONS.getProject, { params: { project: 'shop' } }),
    ).toEqual(project);
    const peek = identity().as(stranger.accessToken);
    const params = { project: 'shop' };
    expect((await problemOf(peek.call(OPERATIONS.getProject, { params }))).code).toBe('auth.forbidden');
    expect((await problemOf(peek.call(OPERATIONS.listMembers, { params }))).code).toBe('auth.forbidden');
    expect((await identity().as(stranger.accessToken).call(OPERATIONS.listProjects)).items).toEqual([]);
    const taken = identity()
      .as(stranger.accessToken)
      .call(OPERATIONS.createProject, { body: { name: 'shop' } });
    expect((await problemOf(taken)).code).toBe('resource.already_exists');
  });

  it('are listed in pages without a gap; a foreign cursor is refused', async () => {
    const { accessToken } = await signUp();
    const client = identity().as(accessToken);
    const names = ['page-a', 'page-b', 'page-c', 'page-d', 'page-e'];
    for (const name of names) await client.call(OPERATIONS.createProject, { body: { name } });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.call(OPERATIONS.listProjects, { query: { limit: 2, cursor } });
      seen.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(seen).toEqual(names);
    const problem = await problemOf(client.call(OPERATIONS.listProjects, { query: { cursor: '!!' } }));
    expect(problem).toMatchObject({ code: 'request.invalid', errors: [{ field: '#query/cursor' }] });
  });

  it('are bounded per person, also where many are created at once; administrators create any number', async () => {
    const { accessToken } = await signUp();
    const create = (token: string, name: string) =>
      identity().as(token).call(OPERATIONS.createProject, { body: { name } });
    const results = await Promise.allSettled(
      Array.from({ length: 13 }, (_, index) => create(accessToken, `many-${index}`)),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    expect(await problemOf(create(accessToken, 'one-more'))).toMatchObject({
      code: 'resource.limit_reached',
      detail: 'you may create 10 projects; ask an administrator to create this one and add you to it',
    });
    const admin = await signIn(ADMIN.email, ADMIN.password);
    for (let index = 0; index < 11; index += 1) await create(admin.accessToken, `of-admin-${index}`);
  });

  it('take members by e-mail with a role, whose permissions hold at once', async () => {
    const owner = await signUp();
    const viewer = await signUp();
    const client = identity().as(owner.accessToken);
    const params = { project: 'team' };
    await client.call(OPERATIONS.createProject, { body: { name: 'team' } });
    const body = { email: viewer.user.email, role: 'viewer' } as const;
    const added = await client.call(OPERATIONS.addMember, { params, body });
    expect(added).toMatchObject({ userId: viewer.user.id, role: 'viewer' });
    expect((await problemOf(client.call(OPERATIONS.addMember, { params, body }))).code).toBe('resource.already_exists');
    const unknown = client.call(OPERATIONS.addMember, { params, body: { email: 'no@example.com', role: 'viewer' } });
    expect((await problemOf(unknown)).code).toBe('resource.not_found');

    const asViewer = identity().as(viewer.accessToken);
    expect((await asViewer.call(OPERATIONS.getProject, { params })).role).toBe('viewer');
    expect((await asViewer.call(OPERATIONS.listMembers, { params })).items).toHaveLength(2);
    const grab = asViewer.call(OPERATIONS.addMember, { params, body: { email: ADMIN.email, role: 'owner' } });
    expect((await problemOf(grab)).code).toBe('auth.forbidden');
  });

  it('keep at least one owner, also when two owners remove each other at once', async () => {
    const one = await signUp();
    const two = await signUp();
    const client = identity().as(one.accessToken);
    await client.call(OPERATIONS.createProject, { body: { name: 'duel' } });
    const remove = (by: Tokens, userId: string, project = 'duel') =>
      identity().as(by.accessToken).call(OPERATIONS.removeMember, { params: { project, userId } });
    expect((await problemOf(remove(one, one.user.id))).code).toBe('resource.in_use');
    expect((await problemOf(remove(one, two.user.id))).code).toBe('resource.not_found');
    for (const project of ['duel-a', 'duel-b', 'duel-c', 'duel-d']) {
      await client.call(OPERATIONS.createProject, { body: { name: project } });
      const body = { email: two.user.email, role: 'owner' } as const;
      await client.call(OPERATIONS.addMember, { params: { project }, body });
      // Both are known as owners, so neither is refused before the two meet.
      for (const each of [one, two]) {
        await identity().as(each.accessToken).call(OPERATIONS.getProject, { params: { project } });
      }
      const results = await Promise.allSettled([remove(one, two.user.id, project), remove(two, one.user.id, project)]);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const { rows } = await query(
        `select 1 from members join projects on projects.id = project_id where name = $1 and role = 'owner'`,
        [project],
      );
      expect(rows).toHaveLength(1);
    }
  });

  it('tell of every change in order, with its sequence', async () => {
    const owner = await signUp();
    const guest = await signUp();
    const client = identity().as(owner.accessToken);
    const params = { project: 'told' };
    await client.call(OPERATIONS.createProject, { body: { name: 'told', displayName: 'Told' } });
    await client.call(OPERATIONS.addMember, { params, body: { email: guest.user.email, role: 'billing' } });
    await client.call(OPERATIONS.removeMember, { params: { ...params, userId: guest.user.id } });
    const told = () => identity().events.filter((event) => event.project === 'told');
    await until(() => told().length === 4);
    expect(told().map(({ type, sequence }) => [type, sequence])).toEqual([
      ['skyrun.project.created.v1', 1],
      ['skyrun.member.added.v1', 2],
      ['skyrun.member.added.v1', 3],
      ['skyrun.member.removed.v1', 4],
    ]);
  });

  it('are open to administrators, and getAccess to the platform only', async () => {
    const owner = await signUp();
    await identity()
      .as(owner.accessToken)
      .call(OPERATIONS.createProject, { body: { name: 'seen' } });
    const admin = await signIn(ADMIN.email, ADMIN.password);
    const project = await identity()
      .as(admin.accessToken)
      .call(OPERATIONS.getProject, { params: { project: 'seen' } });
    expect(project.role).toBeUndefined();
    const nowhere = identity()
      .as(admin.accessToken)
      .call(OPERATIONS.getProject, { params: { project: 'nowhere' } });
    expect((await problemOf(nowhere)).code).toBe('resource.not_found');
    const ask = (project: string, userId: string) =>
      identity().as(INTERNAL_TOKEN).call(OPERATIONS.getAccess, { query: { userId, project } });
    expect(await ask('seen', owner.user.id)).toEqual({ role: 'owner', projectExists: true });
    expect(await ask('seen', 'nobody')).toEqual({ role: null, projectExists: true });
    expect(await ask('nowhere', owner.user.id)).toEqual({ role: null, projectExists: false });
    const query = { userId: owner.user.id, project: 'seen' };
    const asAdmin = identity().as(admin.accessToken).call(OPERATIONS.getAccess, { query });
    expect((await problemOf(asAdmin)).code).toBe('auth.forbidden');
  });
});
