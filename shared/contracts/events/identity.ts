import { z } from 'zod';
import { role } from '../access.ts';
import { idSchema } from '../ids.ts';
import { dnsLabel } from '../names.ts';
import { apiKeyRole } from '../resources/api-key.ts';
import { define } from './define.ts';

const apiKeyChange = z.object({ id: idSchema('apiKey'), project: dnsLabel, name: dnsLabel, role: apiKeyRole });

/** Users, projects, members and keys. */
export const IDENTITY_EVENTS = {
  'skyrun.user.created.v1': define(
    'skyrun.user.created.v1',
    'A person signed up',
    'users/{id}',
    z.object({ id: idSchema('user'), email: z.string(), admin: z.boolean() }),
  ),
  'skyrun.project.created.v1': define(
    'skyrun.project.created.v1',
    'A project was created',
    'projects/{project}',
    z.object({ id: idSchema('project'), name: dnsLabel, displayName: z.string(), createdBy: idSchema('user') }),
  ),
  'skyrun.member.added.v1': define(
    'skyrun.member.added.v1',
    'A person joined a project',
    'projects/{project}',
    z.object({ project: dnsLabel, userId: idSchema('user'), role }),
  ),
  'skyrun.member.removed.v1': define(
    'skyrun.member.removed.v1',
    'A person left a project',
    'projects/{project}',
    z.object({ project: dnsLabel, userId: idSchema('user') }),
  ),
  'skyrun.key.created.v1': define(
    'skyrun.key.created.v1',
    'An API key was made',
    'projects/{project}/keys/{key}',
    apiKeyChange,
  ),
  'skyrun.key.rotated.v1': define(
    'skyrun.key.rotated.v1',
    'An API key was exchanged',
    'projects/{project}/keys/{key}',
    apiKeyChange,
  ),
  'skyrun.key.revoked.v1': define(
    'skyrun.key.revoked.v1',
    'An API key was ended',
    'projects/{project}/keys/{key}',
    apiKeyChange,
  ),
} as const;
