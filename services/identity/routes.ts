import { OPERATIONS, Problem } from '@skyrun/contracts';
import { type Api, type Caller, createApi, reply } from '@skyrun/kit';
import { bindApiKeys } from './api-keys/routes.ts';
import type { IdentityContext } from './context.ts';
import { publicKeys } from './keys/keyring.ts';
import { originOf } from './origin.ts';
import { decodeCursor, toPage } from './paging.ts';
import { findProject, listMembers, listProjects } from './store/projects.ts';
import { findUser } from './store/users.ts';
import { createProject } from './usecases/create-project.ts';
import { getAccess } from './usecases/get-access.ts';
import { addMember, removeMember } from './usecases/members.ts';
import { refresh } from './usecases/refresh.ts';
import { signIn } from './usecases/sign-in.ts';
import { signOut } from './usecases/sign-out.ts';
import { signUp } from './usecases/sign-up.ts';

/** Tokens must not stay in any cache on the way. */
const NO_STORE = { headers: { 'cache-control': 'no-store' } };

/**
 * `context` is asked for by each call, because the server listens before the service has started.
 * It throws `platform.unavailable` until then.
 */
export function createRoutes(context: () => IdentityContext): Api {
  const api = createApi();

  api.handle(OPERATIONS.signUp, async (call) =>
    reply(await signUp({ ...call.body, origin: originOf(call) }, context()), { ...NO_STORE, status: 201 }),
  );
  api.handle(OPERATIONS.signIn, async (call) =>
    reply(await signIn({ ...call.body, origin: originOf(call) }, context()), NO_STORE),
  );
  api.handle(OPERATIONS.refresh, async (call) =>
    reply(await refresh({ ...call.body, origin: originOf(call) }, context()), NO_STORE),
  );
  api.handle(OPERATIONS.signOut, async (call) => {
    await signOut({ ...call.body, origin: originOf(call) }, context());
    return undefined;
  });
  api.handle(OPERATIONS.getMe, async ({ caller }) => {
    const user = await findUser(context().db, signedIn(caller).userId);
    if (!user) throw new Problem('auth.invalid_token', { detail: 'this account is gone' });
    return user;
  });
  api.handle(OPERATIONS.getKeys, async () =>
    reply({ keys: await publicKeys(context().db) }, { headers: { 'cache-control': 'public, max-age=60' } }),
  );

  api.handle(OPERATIONS.listProjects, async ({ caller, query: { limit, cursor } }) => {
    const { userId, admin } = signedIn(caller);
    const page = { userId, all: admin, afterName: decodeCursor(cursor), limit };
    return toPage(await listProjects(context().db, page), limit, (project) => project.name);
  });
  api.handle(OPERATIONS.createProject, (call) => {
    const { userId: ownerId, admin } = signedIn(call.caller);
    return createProject({ ...call.body, ownerId, admin, origin: originOf(call) }, context());
  });
  api.handle(OPERATIONS.getProject, async ({ caller, params }) => {
    const project = await findProject(context().db, params.project, signedIn(caller).userId);
    return project ?? noProject(params.project);
  });
  api.handle(OPERATIONS.listMembers, async ({ caller, params: { project }, query: { limit, cursor } }) => {
    const { db } = context();
    if (!(await findProject(db, project, signedIn(caller).userId))) noProject(project);
    const members = await listMembers(db, { project, afterUserId: decodeCursor(cursor), limit });
    return toPage(members, limit, (member) => member.userId);
  });
  api.handle(OPERATIONS.addMember, (call) =>
    addMember({ ...call.params, ...call.body, origin: originOf(call) }, context()),
  );
  api.handle(OPERATIONS.removeMember, async (call) => {
    await removeMember({ ...call.params, origin: originOf(call) }, context());
    return undefined;
  });
  bindApiKeys(api, context);
  api.handle(OPERATIONS.getAccess, ({ query }) => getAccess(query, context()));
  return api;
}

function signedIn(caller: Caller | null): Caller {
  if (!caller) throw new Problem('auth.required');
  return caller;
}

function noProject(name: string): never {
  throw new Problem('resource.not_found', { detail: `there is no project ${name}` });
}
