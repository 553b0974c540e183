import { z } from 'zod';
import { dnsLabel } from '../names.ts';
import { fieldError } from '../problem.ts';
import {
  accountPriceList,
  accountPriceListChange,
  BILLING_JOB_STATES,
  billingJob,
  billingJobs,
  priceListText,
} from '../resources/billing-admin.ts';
import { priceList } from '../resources/price-list.ts';
import { defineOperation } from './define.ts';

const projectParams = z.object({ project: dnsLabel });

/** What whoever runs the installation does with billing. */
export const billingAdminOperations = {
  validatePriceList: defineOperation('validatePriceList', {
    service: 'billing',
    method: 'post',
    path: '/api/v1/price-lists/validation',
    summary: 'Check a version of a price list without keeping it',
    permission: 'admin',
    body: priceListText,
    response: z.object({
      valid: z.boolean(),
      errors: z.array(fieldError).describe('`field` is a JSON pointer into the document'),
      priceList: priceList.nullable(),
    }),
    status: 200,
  }),
  createPriceListVersion: defineOperation('createPriceListVersion', {
    service: 'billing',
    method: 'post',
    path: '/api/v1/price-lists',
    summary:
      'Add a version of a price list; usage from its `effectiveFrom` on is priced by it. It never changes after that',
    permission: 'admin',
    body: priceListText,
    response: priceList,
    status: 201,
    problems: ['resource.already_exists'],
  }),
  getPriceListYaml: defineOperation('getPriceListYaml', {
    service: 'billing',
    method: 'get',
    path: '/api/v1/price-lists/{priceListId}/yaml',
    summary: 'One version of a price list as YAML, to make the next one of',
    permission: 'authenticated',
    params: z.object({ priceListId: z.string() }),
    status: 200,
    produces: 'application/yaml',
    problems: ['resource.not_found'],
  }),
  getAccountPriceList: defineOperation('getAccountPriceList', {
    service: 'billing',
    method: 'get',
    path: '/api/v1/projects/{project}/price-list',
    summary: 'Which price list prices the project’s usage, now and from when on another',
    permission: 'billing.read',
    params: projectParams,
    response: accountPriceList,
  }),
  changeAccountPriceList: defineOperation('changeAccountPriceList', {
    service: 'billing',
    method: 'put',
    path: '/api/v1/projects/{project}/price-list',
    summary: 'Price the project’s usage by another list, or by that of a region, from a time on',
    permission: 'admin',
    params: projectParams,
    body: accountPriceListChange,
    response: accountPriceList,
    status: 200,
  }),
  listBillingJobs: defineOperation('listBillingJobs', {
    service: 'billing',
    method: 'get',
    path: '/api/v1/billing/jobs',
    summary: 'Background work of billing: closings, documents, alerts; what runs, waits and failed',
    permission: 'admin',
    query: z.object({
      state: z.enum(BILLING_JOB_STATES).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(100),
    }),
    response: billingJobs,
    problems: ['platform.unavailable'],
  }),
  retryBillingJob: defineOperation('retryBillingJob', {
    service: 'billing',
    method: 'post',
    path: '/api/v1/billing/jobs/{jobId}/retry',
    summary: 'Try a failed job again, now',
    permission: 'admin',
    params: z.object({ jobId: z.string() }),
    response: billingJob,
    status: 200,
    problems: ['resource.not_found', 'resource.conflict', 'platform.unavailable'],
  }),
};
