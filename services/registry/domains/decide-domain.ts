import type { DomainReason, DomainState } from '@skyrun/contracts';
import type { Finding } from './proofs.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A verified domain whose proof is gone leads to its service so much longer: time to mend a mistake. */
export const GRACE_MS = 3 * DAY_MS;
const LOOK_AGAIN_MS = 12 * HOUR_MS;

export interface KnownDomain {
  readonly state: DomainState;
  /** Unix ms. */
  readonly createdAt: number;
  readonly missingSince: number | null;
}

export interface DomainVerdict {
  readonly state: DomainState;
  readonly reason: DomainReason;
  readonly message: string;
  readonly missingSince: number | null;
  /** Unix ms. */
  readonly nextCheckAt: number;
}

/**
 * What a look at the DNS makes of a domain.
 *
 *   pending ──proved──► verified ──proof gone for three days──► lost ──proved──► verified
 *      ▲                   │                                      │
 *      └───── taken ───────┴── another project proves it meanwhile, and this one cannot: lost
 *
 * `holder` says that another project has the name verified: only one can lead somewhere.
 */
export function decideDomain(known: KnownDomain, finding: Finding, holder: boolean, now: number): DomainVerdict {
  if (finding.kind === 'proved') {
    if (holder) {
      const message =
        'Another project has proved this domain, and its record still stands. It must be removed there first.';
      const state = known.state === 'lost' ? 'lost' : 'pending';
      return { state, reason: 'taken', message, missingSince: null, nextCheckAt: nextLook(known, now) };
    }
    const message = `Proved by a ${finding.proof.type} record.`;
    return { state: 'verified', reason: 'proved', message, missingSince: null, nextCheckAt: now + LOOK_AGAIN_MS };
  }
  if (known.state !== 'verified') {
    const { reason, message } = finding;
    return { state: known.state, reason, message, missingSince: null, nextCheckAt: nextLook(known, now) };
  }
  // Silence is not a no: a resolver that is down must take nobody's domain.
  if (finding.reason === 'resolver_failed') {
    const { missingSince } = known;
    const message = 'Proved; the DNS did not answer at the last look.';
    return { state: 'verified', reason: 'proved', message, missingSince, nextCheckAt: now + HOUR_MS };
  }
  const missingSince = known.missingSince ?? now;
  if (now - missingSince < GRACE_MS) {
    const message = `The record that proves it is gone. It leads to its service for three days more. ${finding.message}`;
    return { state: 'verified', reason: 'proof_gone', message, missingSince, nextCheckAt: now + HOUR_MS };
  }
  const message = `The record that proved it has been gone for three days. ${finding.message}`;
  return { state: 'lost', reason: 'proof_gone', message, missingSince: null, nextCheckAt: nextLook(known, now) };
}

/** Often at first, while somebody waits for it; once a day where nobody has made a record for a day. */
function nextLook({ createdAt }: KnownDomain, now: number): number {
  const age = now - createdAt;
  if (age < 10 * MINUTE_MS) return now + 15 * SECOND_MS;
  if (age < DAY_MS) return now + 5 * MINUTE_MS;
  return now + DAY_MS;
}
