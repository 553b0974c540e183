import { z } from 'zod';

/** What an API operation needs. `public` needs nothing, `internal` only the platform's own parts have. */
export const PERMISSIONS = [
  'public',
  'authenticated',
  'admin',
  'internal',
  'project.read',
  'project.manage',
  'services.read',
  'services.write',
  'billing.read',
  'billing.manage',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Permissions that are asked of one project (the operation's path names it). */
export type ProjectPermission = Extract<Permission, `${'project' | 'services' | 'billing'}.${string}`>;

export const role = z.enum(['owner', 'developer', 'viewer', 'billing']);
export type Role = z.infer<typeof role>;

export const ROLE_PERMISSIONS: Record<Role, readonly ProjectPermission[]> = {
  owner: ['project.read', 'project.manage', 'services.read', 'services.write', 'billing.read', 'billing.manage'],
  developer: ['project.read', 'services.read', 'services.write', 'billing.read'],
  viewer: ['project.read', 'services.read'],
  billing: ['project.read', 'billing.read', 'billing.manage'],
};

export function isProjectPermission(permission: Permission): permission is ProjectPermission {
  return permission.includes('.');
}

/** The claims of an access token (JWT, signed by identity; `sub` is the user id). */
export const accessClaims = z.object({
  sub: z.string(),
  email: z.string(),
  /** True for operators of the whole installation: every permission on every project. */
  admin: z.boolean(),
  /** Project name → role at the time of signing; a miss is asked of identity. */
  projects: z.record(z.string(), role),
  iat: z.int(),
  exp: z.int(),
});
export type AccessClaims = z.infer<typeof accessClaims>;
export const TOKEN_ISSUER = 'skyrun';
export const TOKEN_AUDIENCE = 'skyrun-api';
