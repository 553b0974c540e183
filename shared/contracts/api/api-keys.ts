import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { dnsLabel, timestamp } from '../names.ts';
import { apiKey, apiKeyDigest, apiKeyRole, newApiKey } from '../resources/api-key.ts';
import { defineOperation } from './define.ts';
import { gatewayCalls } from './gateway-calls.ts';
import { page, pageQuery } from './paging.ts';

const inProject = z.object({ project: dnsLabel });
const oneKey = inProject.extend({ key: idSchema('apiKey') });
const base = '/api/v1/projects/{project}/keys';

/** Keys of team services, machines and pipelines: long-lived, of one project, with one role. */
export const apiKeyOperations = {
  listApiKeys: defineOperation('listApiKeys', {
    service: 'identity',
    method: 'get',
    path: base,
    summary: 'API keys of a project by name, without what they are',
    permission: 'project.manage',
    params: inProject,
    query: pageQuery,
    response: page(apiKey),
  }),
  createApiKey: defineOperation('createApiKey', {
    service: 'identity',
    method: 'post',
    path: base,
    summary: 'Make an API key; what it is, is answered this once',
    permission: 'project.manage',
    params: inProject,
    body: z.strictObject({
      name: dnsLabel,
      role: apiKeyRole,
      expiresInDays: z.int().min(1).max(3650).optional().describe('it never ends when absent'),
    }),
    response: newApiKey,
    status: 201,
    problems: ['resource.already_exists'],
  }),
  rotateApiKey: defineOperation('rotateApiKey', {
    service: 'identity',
    method: 'post',
    path: `${base}/{key}/rotate`,
    summary: 'Exchange a key; the one before holds for a while yet',
    permission: 'project.manage',
    params: oneKey,
    body: z.strictObject({
      graceMinutes: z.int().min(0).max(10_080).default(60).describe('how long the key before still holds'),
    }),
    response: newApiKey,
    problems: ['resource.not_found'],
  }),
  revokeApiKey: defineOperation('revokeApiKey', {
    service: 'identity',
    method: 'delete',
    path: `${base}/{key}`,
    summary: 'End a key: it is refused within seconds',
    permission: 'project.manage',
    params: oneKey,
    problems: ['resource.not_found'],
  }),
  identifyApiKey: defineOperation('identifyApiKey', {
    service: 'identity',
    method: 'post',
    path: '/internal/v1/api-keys/identify',
    summary: 'Whose key has this digest',
    permission: 'internal',
    body: z.strictObject({ digest: apiKeyDigest }),
    response: z.object({
      key: z
        .object({
          id: idSchema('apiKey'),
          name: dnsLabel,
          project: dnsLabel,
          role: apiKeyRole,
          until: timestamp.nullable(),
        })
        .nullable(),
    }),
  }),
  syncApiKeys: gatewayCalls.syncApiKeys,
};
