import { z } from 'zod';
import { dnsLabel } from '../names.ts';
import { domain, domainName } from '../resources/domain.ts';
import { defineOperation } from './define.ts';
import { page, pageQuery } from './paging.ts';

const projectParams = z.object({ project: dnsLabel });
const domainParams = projectParams.extend({ domain: domainName });

export const domainOperations = {
  listDomains: defineOperation('listDomains', {
    service: 'registry',
    method: 'get',
    path: '/api/v1/projects/{project}/domains',
    summary: 'Domains of a project by name, with their state and what proves them',
    permission: 'services.read',
    params: projectParams,
    query: pageQuery,
    response: page(domain),
  }),
  addDomain: defineOperation('addDomain', {
    service: 'registry',
    method: 'post',
    path: '/api/v1/projects/{project}/domains',
    summary: 'Add a domain to a service; it leads there once one of the records in the answer is found',
    permission: 'services.write',
    params: projectParams,
    body: z.strictObject({ name: domainName, service: dnsLabel }),
    response: domain,
    status: 201,
    problems: ['resource.already_exists', 'resource.not_found', 'resource.limit_reached'],
  }),
  getDomain: defineOperation('getDomain', {
    service: 'registry',
    method: 'get',
    path: '/api/v1/projects/{project}/domains/{domain}',
    summary: 'One domain',
    permission: 'services.read',
    params: domainParams,
    response: domain,
    problems: ['resource.not_found'],
  }),
  verifyDomain: defineOperation('verifyDomain', {
    service: 'registry',
    method: 'post',
    path: '/api/v1/projects/{project}/domains/{domain}/verifications',
    summary: 'Look for the proof now; the answer says what was found',
    permission: 'services.write',
    params: domainParams,
    response: domain,
    problems: ['resource.not_found'],
  }),
  removeDomain: defineOperation('removeDomain', {
    service: 'registry',
    method: 'delete',
    path: '/api/v1/projects/{project}/domains/{domain}',
    summary: 'Remove a domain; it leads nowhere from then on',
    permission: 'services.write',
    params: domainParams,
    problems: ['resource.not_found'],
  }),
};
