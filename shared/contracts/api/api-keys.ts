import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { dnsLabel, timestamp } from '../names.ts';
import { apiKey, apiKeyRole, newApiKey } from '../resources/api-key.ts';
import { defineOperation } from './define.ts';
import { page, pageQuery } from './paging.ts';

const inProject = z.object({ project: dnsLabel });
const oneKey = inProject.extend({ key: idSchema('apiKey') });
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'expected the SHA-256 of a key in hexadecimal');
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
    body: z.strictObject({ digest }),
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
  syncApiKeys: defineOperation('syncApiKeys', {
    service: 'identity',
    method: 'post',
    path: '/internal/v1/api-keys/sync',
    summary: 'Say which keys were used; get the digests of all that hold, where they have changed',
    permission: 'internal',
    body: z.strictObject({
      version: z.string().max(100).describe('of the digests that are known; empty at first'),
      used: z.array(idSchema('apiKey')).max(10_000),
    }),
    response: z.object({
      version: z.string(),
      keys: z
        .array(
          z.object({
            digest,
            id: idSchema('apiKey'),
            name: z
              .string()
              .default('')
              .describe('who calls, on the service map; a gateway that kept keys before it knew has none'),
            project: dnsLabel,
            until: timestamp.nullable(),
          }),
        )
        .nullable()
        .describe('null: as known'),
    }),
  }),
};
