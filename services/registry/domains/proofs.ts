import { CHALLENGE_LABEL, type DomainProof } from '@skyrun/contracts';

/** What the DNS says of a name; null where it did not answer. */
export type Records = readonly string[] | null;

export interface Found {
  readonly txt: Records;
  /** Where the name leads, alias by alias; not asked for a wildcard. */
  readonly cname: Records;
}

export type Finding =
  | { readonly kind: 'proved'; readonly proof: DomainProof }
  | {
      readonly kind: 'unproved';
      readonly reason: 'no_record' | 'wrong_record' | 'resolver_failed';
      readonly message: string;
    };

const VALUE_PREFIX = 'skyrun-verification=';

/** `*.example.com` is proved at `example.com`. */
export function challengeHost(name: string): string {
  return `${CHALLENGE_LABEL}.${isWildcard(name) ? name.slice(2) : name}`;
}

export function isWildcard(name: string): boolean {
  return name.startsWith('*.');
}

/**
 * The records of which one proves a domain. An alias names the service itself: one that led to the platform alone would
 * prove nothing of the project, and whoever came first could take a domain that others have pointed here.
 */
export function proofsOf(name: string, token: string, serviceHost: string): DomainProof[] {
  const txt: DomainProof = { type: 'TXT', name: challengeHost(name), value: `${VALUE_PREFIX}${token}` };
  return isWildcard(name) ? [txt] : [txt, { type: 'CNAME', name, value: serviceHost }];
}

/** Whether what was found proves one of the `proofs`, and if not, what to mend. */
export function judgeRecords(proofs: readonly DomainProof[], found: Found): Finding {
  for (const proof of proofs) {
    const records = proof.type === 'TXT' ? found.txt : found.cname;
    if (records?.some((record) => matches(proof, record))) return { kind: 'proved', proof };
  }
  if (found.txt === null || (found.cname === null && proofs.some(({ type }) => type === 'CNAME'))) {
    const message = 'The DNS did not answer. It is asked again; nothing is to be done.';
    return { kind: 'unproved', reason: 'resolver_failed', message };
  }
  const [txt] = proofs;
  const wrong = found.txt.find((record) => record.startsWith(VALUE_PREFIX));
  if (wrong !== undefined) {
    const message = `The TXT record at ${txt?.name} is of another claim. Its value must be ${txt?.value}.`;
    return { kind: 'unproved', reason: 'wrong_record', message };
  }
  const elsewhere = found.cname?.[0];
  if (elsewhere !== undefined) {
    const message = `It is an alias of ${elsewhere}. Point it to ${proofs[1]?.value}, or add the TXT record at ${txt?.name}.`;
    return { kind: 'unproved', reason: 'wrong_record', message };
  }
  const message = `There is no TXT record at ${txt?.name} yet. New records can take an hour until they are seen.`;
  return { kind: 'unproved', reason: 'no_record', message };
}

function matches(proof: DomainProof, record: string): boolean {
  if (proof.type === 'TXT') return record.trim() === proof.value;
  return record.toLowerCase().replace(/\.$/, '') === proof.value;
}
