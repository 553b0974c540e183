import { z } from 'zod';
import { dnsLabel, timestamp } from '../names.ts';

/** Before the name that a TXT record of proof is asked at. */
export const CHALLENGE_LABEL = '_skyrun-challenge';

/** A host of one's own, `www.example.com`, or all names one label below another, `*.example.com`. */
export const domainName = z
  .string()
  .max(253)
  .toLowerCase()
  .regex(
    /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/,
    'expected a host such as www.example.com, or *.example.com for all names below it',
  );

/**
 * `pending`: not proved yet. `verified`: proved, and routed to its service. `lost`: it was proved, and has not been for so
 * long that it is not routed any more.
 */
export const domainState = z.enum(['pending', 'verified', 'lost']);
export type DomainState = z.infer<typeof domainState>;

/** Why it is in its state, for programs; `message` says the same for people. */
export const domainReason = z.enum([
  'not_checked',
  'no_record',
  'wrong_record',
  'resolver_failed',
  'taken',
  'proved',
  'proof_gone',
]);
export type DomainReason = z.infer<typeof domainReason>;

/** A record that proves that whoever added the domain may use it. One of those that are named is enough. */
export const domainProof = z.object({
  type: z.enum(['TXT', 'CNAME']),
  name: z.string().describe('where the record is made'),
  value: z.string(),
});
export type DomainProof = z.infer<typeof domainProof>;

/** A host of a tenant's own that leads to one of its services once it is proved to be theirs. */
export const domain = z.object({
  project: dnsLabel,
  name: z.string(),
  service: dnsLabel,
  state: domainState,
  reason: domainReason,
  message: z.string(),
  proofs: z.array(domainProof).describe('make one of these records at the DNS provider'),
  url: z.string().nullable().describe('where it answers; null for a wildcard'),
  createdAt: timestamp,
  verifiedAt: timestamp.nullable(),
  checkedAt: timestamp.nullable(),
  nextCheckAt: timestamp.describe('when it is looked for by itself'),
});
export type Domain = z.infer<typeof domain>;
