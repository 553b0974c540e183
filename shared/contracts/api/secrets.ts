import { z } from 'zod';
import { dnsLabel } from '../names.ts';
import { secret, secretKeyRef, secretValue } from '../resources/secret.ts';
import { defineOperation } from './define.ts';
import { page, pageQuery } from './paging.ts';

const projectParams = z.object({ project: dnsLabel });
const secretParams = projectParams.extend({ secret: dnsLabel });

export const secretOperations = {
  listSecrets: defineOperation('listSecrets', {
    service: 'registry',
    method: 'get',
    path: '/api/v1/projects/{project}/secrets',
    summary: 'Secrets of a project by name, without their values',
    permission: 'services.read',
    params: projectParams,
    query: pageQuery,
    response: page(secret),
  }),
  createSecret: defineOperation('createSecret', {
    service: 'registry',
    method: 'post',
    path: '/api/v1/projects/{project}/secrets',
    summary: 'Create a secret with its first version; the value is never answered again',
    permission: 'services.write',
    params: projectParams,
    body: z.strictObject({ name: dnsLabel, value: secretValue }),
    response: secret,
    status: 201,
    problems: ['resource.already_exists'],
  }),
  addSecretVersion: defineOperation('addSecretVersion', {
    service: 'registry',
    method: 'post',
    path: '/api/v1/projects/{project}/secrets/{secret}/versions',
    summary: 'Give a secret a new value; instances that start from now on get it where they name the latest',
    permission: 'services.write',
    params: secretParams,
    body: z.strictObject({ value: secretValue }),
    response: secret,
    status: 201,
    problems: ['resource.not_found'],
  }),
  deleteSecret: defineOperation('deleteSecret', {
    service: 'registry',
    method: 'delete',
    path: '/api/v1/projects/{project}/secrets/{secret}',
    summary: 'Delete a secret that no revision in use names, with all its versions',
    permission: 'services.write',
    params: secretParams,
    problems: ['resource.not_found', 'resource.in_use'],
  }),
  resolveSecrets: defineOperation('resolveSecrets', {
    service: 'registry',
    method: 'post',
    path: '/internal/v1/secret-values',
    summary: 'Values for a container that is about to start',
    permission: 'internal',
    body: z.strictObject({ project: dnsLabel, references: z.array(secretKeyRef).min(1).max(200) }),
    response: z.object({ values: z.array(z.string()).describe('in the order of the references') }),
    problems: ['resource.not_found'],
  }),
};
