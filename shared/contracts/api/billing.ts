import { z } from 'zod';
import { dnsLabel, timestamp } from '../names.ts';
import { costReport, invoice } from '../resources/billing.ts';
import { defineOperation } from './define.ts';
import { page, pageQuery } from './paging.ts';

const projectParams = z.object({ project: dnsLabel });

export const billingOperations = {
  getCosts: defineOperation('getCosts', {
    service: 'billing',
    method: 'get',
    path: '/api/v1/projects/{project}/costs',
    summary: 'Live cost of the open period',
    permission: 'billing.read',
    params: projectParams,
    response: costReport,
  }),
  listUsage: defineOperation('listUsage', {
    service: 'billing',
    method: 'get',
    path: '/api/v1/projects/{project}/usage',
    summary: 'Usage rows, newest first',
    permission: 'billing.read',
    params: projectParams,
    query: pageQuery.extend({ service: dnsLabel.optional(), invoiceId: z.string().optional() }),
    response: page(
      z.object({
        key: z.string(),
        kind: z.string(),
        service: z.string(),
        revisionName: z.string(),
        instanceId: z.string(),
        windowStart: timestamp,
        windowEnd: timestamp,
        requests: z.int(),
        bytesOut: z.int(),
        busyMs: z.int(),
        cpuMilli: z.int(),
        memoryMib: z.int(),
      }),
    ),
  }),
  listInvoices: defineOperation('listInvoices', {
    service: 'billing',
    method: 'get',
    path: '/api/v1/projects/{project}/invoices',
    summary: 'Invoices, newest first',
    permission: 'billing.read',
    params: projectParams,
    query: pageQuery,
    response: page(invoice),
  }),
  getInvoice: defineOperation('getInvoice', {
    service: 'billing',
    method: 'get',
    path: '/api/v1/projects/{project}/invoices/{invoiceId}',
    summary: 'One invoice',
    permission: 'billing.read',
    params: projectParams.extend({ invoiceId: z.string() }),
    response: invoice,
    problems: ['resource.not_found'],
  }),
  closePeriod: defineOperation('closePeriod', {
    service: 'billing',
    method: 'post',
    path: '/api/v1/projects/{project}/invoices',
    summary: 'Close the open period up to now (or `until`) into an invoice; the next period starts there',
    permission: 'billing.manage',
    params: projectParams,
    body: z.strictObject({ until: timestamp.optional() }),
    response: invoice,
    status: 201,
    problems: ['billing.period_open'],
  }),
};
