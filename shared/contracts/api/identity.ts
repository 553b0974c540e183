import { z } from 'zod';
import { role } from '../access.ts';
import { dnsLabel } from '../names.ts';
import { member, project, user } from '../resources/project.ts';
import { defineOperation } from './define.ts';
import { gatewayCalls } from './gateway-calls.ts';
import { page, pageQuery } from './paging.ts';

const password = z.string().min(10, 'at least 10 characters').max(200);
const email = z.email().max(254).toLowerCase();
const projectParams = z.object({ project: dnsLabel });

/** `refreshToken` works once; using it again ends the whole session (reuse detection). */
const tokens = z.object({
  accessToken: z.string(),
  tokenType: z.literal('Bearer'),
  expiresInSeconds: z.int(),
  refreshToken: z.string(),
  user,
});
export type Tokens = z.infer<typeof tokens>;

export const identityOperations = {
  signUp: defineOperation('signUp', {
    service: 'identity',
    method: 'post',
    path: '/api/v1/auth/sign-up',
    summary: 'Create a local account',
    permission: 'public',
    body: z.strictObject({ email, password, name: z.string().min(1).max(100) }),
    response: tokens,
    status: 201,
    problems: ['resource.already_exists', 'auth.signup_disabled'],
  }),
  signIn: defineOperation('signIn', {
    service: 'identity',
    method: 'post',
    path: '/api/v1/auth/sign-in',
    summary: 'Sign in with e-mail and password',
    permission: 'public',
    body: z.strictObject({ email, password: z.string().max(200) }),
    response: tokens,
    problems: ['auth.invalid_credentials', 'auth.throttled'],
  }),
  refresh: defineOperation('refresh', {
    service: 'identity',
    method: 'post',
    path: '/api/v1/auth/refresh',
    summary: 'Exchange a refresh token for new tokens',
    permission: 'public',
    body: z.strictObject({ refreshToken: z.string().max(500) }),
    response: tokens,
    problems: ['auth.invalid_token', 'auth.refresh_reused'],
  }),
  signOut: defineOperation('signOut', {
    service: 'identity',
    method: 'post',
    path: '/api/v1/auth/sign-out',
    summary: 'End a session',
    permission: 'public',
    body: z.strictObject({ refreshToken: z.string().max(500) }),
  }),
  getMe: defineOperation('getMe', {
    service: 'identity',
    method: 'get',
    path: '/api/v1/me',
    summary: 'Who am I',
    permission: 'authenticated',
    response: user,
  }),
  getKeys: gatewayCalls.getKeys,
  listProjects: defineOperation('listProjects', {
    service: 'identity',
    method: 'get',
    path: '/api/v1/projects',
    summary: 'Your projects',
    permission: 'authenticated',
    query: pageQuery,
    response: page(project),
  }),
  createProject: defineOperation('createProject', {
    service: 'identity',
    method: 'post',
    path: '/api/v1/projects',
    summary: 'Create a project; you become its owner',
    permission: 'authenticated',
    body: z.strictObject({ name: dnsLabel, displayName: z.string().min(1).max(100).optional() }),
    response: project,
    status: 201,
    problems: ['resource.already_exists', 'resource.limit_reached'],
  }),
  getProject: defineOperation('getProject', {
    service: 'identity',
    method: 'get',
    path: '/api/v1/projects/{project}',
    summary: 'One project',
    permission: 'project.read',
    params: projectParams,
    response: project,
    problems: ['resource.not_found'],
  }),
  listMembers: defineOperation('listMembers', {
    service: 'identity',
    method: 'get',
    path: '/api/v1/projects/{project}/members',
    summary: 'Members of a project',
    permission: 'project.read',
    params: projectParams,
    query: pageQuery,
    response: page(member),
  }),
  addMember: defineOperation('addMember', {
    service: 'identity',
    method: 'post',
    path: '/api/v1/projects/{project}/members',
    summary: 'Add a person by e-mail',
    permission: 'project.manage',
    params: projectParams,
    body: z.strictObject({ email, role }),
    response: member,
    status: 201,
    problems: ['resource.not_found', 'resource.already_exists'],
  }),
  removeMember: defineOperation('removeMember', {
    service: 'identity',
    method: 'delete',
    path: '/api/v1/projects/{project}/members/{userId}',
    summary: 'Remove a member',
    permission: 'project.manage',
    params: projectParams.extend({ userId: z.string() }),
    problems: ['resource.not_found', 'resource.in_use'],
  }),
  /** Asked by other services when a token's claims do not name the project. */
  getAccess: defineOperation('getAccess', {
    service: 'identity',
    method: 'get',
    path: '/internal/v1/access',
    summary: 'Role of a user in a project',
    permission: 'internal',
    query: z.object({ userId: z.string(), project: z.string() }),
    response: z.object({ role: role.nullable(), projectExists: z.boolean() }),
  }),
};
