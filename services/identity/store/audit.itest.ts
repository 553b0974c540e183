import { OPERATIONS } from '@skyrun/contracts';
import { problemOf } from '@skyrun/testing';
import { expect, it } from 'vitest';
import { useIdentity } from '../running.fixture.ts';

const { identity, query, signIn, signUp } = useIdentity();

it('writes every change into the audit log, without a secret', async () => {
  const [owner, other] = [await signUp(), await signUp()];
  await problemOf(signIn(owner.user.email, 'wrong password'));
  await signIn(owner.user.email, 'correct horse battery');
  const client = identity().as(owner.accessToken);
  await client.call(OPERATIONS.createProject, { body: { name: 'audited' } });
  const params = { project: 'audited' };
  await client.call(OPERATIONS.addMember, { params, body: { email: other.user.email, role: 'viewer' } });
  await client.call(OPERATIONS.removeMember, { params: { ...params, userId: other.user.id } });
  await client.call(OPERATIONS.signOut, { body: { refreshToken: owner.refreshToken } });
  const { rows } = await query<{ action: string; line: string }>(
    'select action, a::text as line from audit_log a order by id',
  );
  const actions = new Set(rows.map(({ action }) => action));
  for (const action of [
    'user.create',
    'session.open',
    'session.refuse',
    'session.revoke',
    'project.create',
    'member.add',
    'member.remove',
  ]) {
    expect(actions).toContain(action);
  }
  expect(rows.some(({ line }) => /password|horse|skr_/.test(line))).toBe(false);
});
