import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { dnsLabel } from '../names.ts';
import { billingAdvice, billingContacts, billingContactsSpec, billingMail } from '../resources/billing-insight.ts';
import { defineOperation } from './define.ts';
import { gatewayCalls } from './gateway-calls.ts';
import { page, pageQuery } from './paging.ts';

const inProject = z.object({ project: dnsLabel });
const oneMail = inProject.extend({ mailId: idSchema('mail') });

/** What billing tells people by itself, and what it advises. */
export const billingInsightOperations = {
  getBillingContacts: defineOperation('getBillingContacts', {
    service: 'billing',
    method: 'get',
    path: '/api/v1/projects/{project}/billing-contacts',
    summary: 'Who is mailed about budgets and invoices',
    permission: 'billing.read',
    params: inProject,
    response: billingContacts,
  }),
  replaceBillingContacts: defineOperation('replaceBillingContacts', {
    service: 'billing',
    method: 'put',
    path: '/api/v1/projects/{project}/billing-contacts',
    summary: 'Say who is mailed about budgets and invoices from now on',
    permission: 'billing.manage',
    params: inProject,
    body: billingContactsSpec,
    response: billingContacts,
  }),
  listBillingMails: defineOperation('listBillingMails', {
    service: 'billing',
    method: 'get',
    path: '/api/v1/projects/{project}/billing-mails',
    summary: 'Mails to the billing contacts, newest first, with what became of them',
    permission: 'billing.read',
    params: inProject,
    query: pageQuery,
    response: page(billingMail),
  }),
  sendTestMail: defineOperation('sendTestMail', {
    service: 'billing',
    method: 'post',
    path: '/api/v1/projects/{project}/billing-mails',
    summary: 'Send every billing contact a test mail',
    permission: 'billing.manage',
    params: inProject,
    response: z.object({ items: z.array(billingMail) }),
    status: 201,
    problems: ['resource.conflict'],
  }),
  retryBillingMail: defineOperation('retryBillingMail', {
    service: 'billing',
    method: 'post',
    path: '/api/v1/projects/{project}/billing-mails/{mailId}/retry',
    summary: 'Try a mail that failed again',
    permission: 'billing.manage',
    params: oneMail,
    response: billingMail,
    status: 200,
    problems: ['resource.not_found', 'resource.conflict'],
  }),
  getBillingAdvice: defineOperation('getBillingAdvice', {
    service: 'billing',
    method: 'get',
    path: '/api/v1/projects/{project}/billing-advice',
    summary: 'Sizes that fit what instances really used over the last days, and what they would save',
    permission: 'billing.read',
    params: inProject,
    query: z.object({ days: z.coerce.number().int().min(1).max(30).default(7) }),
    response: billingAdvice,
  }),
  listUnitPrices: gatewayCalls.listUnitPrices,
};
