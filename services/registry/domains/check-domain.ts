import type { Domain, EventDraft } from '@skyrun/contracts';
import type { Logger } from '@skyrun/kit';
import { appendEvents } from '@skyrun/postgres';
import { dueDomains, findDomain, holderOf, lockName } from '../store/domains.ts';
import { notifyChange } from '../store/services.ts';
import type { DomainRow, Store, Tables } from '../store/tables.ts';
import { SOURCE, type UseCaseDeps } from '../use-case.ts';
import { type DomainVerdict, decideDomain } from './decide-domain.ts';
import { aboutDomain, noDomain, proofsOfRow, referenceOf, toDomain } from './domains.ts';
import type { Lookup } from './lookup.ts';
import { type Finding, type Found, judgeRecords } from './proofs.ts';

export interface CheckDeps extends UseCaseDeps {
  readonly lookup: Lookup;
}

const AT_ONCE = 10;
/** Whoever asks again sooner gets the last answer: nobody makes this a way to send questions to others. */
const ASK_AGAIN_MS = 1000;

/**
 * Looks for the proof of a domain now.
 * @throws Problem `resource.not_found`
 */
export async function checkDomain(
  { project, name }: { readonly project: string; readonly name: string },
  deps: CheckDeps,
): Promise<Domain> {
  const { db, clock, address, lookup } = deps;
  const known = await findDomain(db.kysely<Tables>(), project, name);
  if (known === undefined) throw noDomain({ project, name });
  if (clock.now() - (known.checked_at?.getTime() ?? 0) < ASK_AGAIN_MS) return toDomain(known, address);
  // Outside the transaction: the DNS may take its time.
  const found = await lookup(name);
  return await db.transaction(async (tx) => {
    const store = tx.kysely<Tables>();
    await lockName(store, name);
    const row = await findDomain(store, project, name);
    if (row === undefined) throw noDomain({ project, name });
    const now = clock.now();
    const events: EventDraft[] = [];
    const finding = judgeRecords(proofsOfRow(row, address), found);
    const held = finding.kind === 'proved' && (await keepsHolder(store, row, found, { events, deps, now }));
    const state = { state: row.state, createdAt: row.created_at.getTime() };
    const verdict = decideDomain({ ...state, missingSince: row.missing_since?.getTime() ?? null }, finding, held, now);
    const changed = await write(store, row, verdict, now);
    const event = transition(row, verdict, finding);
    if (event !== null) events.push(event);
    await appendEvents(tx, SOURCE, events, clock);
    const told = changed.state === row.state && changed.message === row.message;
    if (!told) await notifyChange(store, row.service_id);
    return toDomain(changed, address);
  });
}

/** Looks at those whose time has come. */
export async function checkDueDomains(deps: CheckDeps & { readonly logger: Logger }): Promise<void> {
  const { db, clock, logger } = deps;
  const due = await dueDomains(db.kysely<Tables>(), new Date(clock.now()), AT_ONCE);
  await Promise.all(
    due.map(async ({ project, name }) => {
      try {
        await checkDomain({ project, name }, deps);
      } catch (error) {
        logger.warn({ error, project, domain: name }, 'cannot look for the proof of a domain');
      }
    }),
  );
}

/** Whether another project has the name and can still prove it; one that cannot loses it here to who can. */
async function keepsHolder(
  store: Store,
  claim: DomainRow,
  found: Found,
  { events, deps, now }: { events: EventDraft[]; deps: CheckDeps; now: number },
): Promise<boolean> {
  const holder = await holderOf(store, claim.name);
  if (holder === undefined || holder.project === claim.project) return false;
  const finding = judgeRecords(proofsOfRow(holder, deps.address), found);
  if (finding.kind === 'proved' || finding.reason === 'resolver_failed') return true;
  const message = 'Another project has proved this domain, and the record of this one is gone.';
  const verdict: DomainVerdict = {
    state: 'lost',
    reason: 'taken',
    message,
    missingSince: null,
    nextCheckAt: now + 86_400_000,
  };
  await write(store, holder, verdict, now);
  events.push(lost(holder, message));
  await notifyChange(store, holder.service_id);
  return false;
}

async function write(store: Store, row: DomainRow, verdict: DomainVerdict, now: number): Promise<DomainRow> {
  const { state, reason, message, missingSince, nextCheckAt } = verdict;
  const verifiedAt = state === 'verified' && row.state !== 'verified' ? new Date(now) : row.verified_at;
  return await store
    .updateTable('domains')
    .set({
      state,
      reason,
      message,
      verified_at: verifiedAt,
      checked_at: new Date(now),
      missing_since: missingSince === null ? null : new Date(missingSince),
      next_check_at: new Date(nextCheckAt),
    })
    .where('project', '=', row.project)
    .where('name', '=', row.name)
    .returningAll()
    .executeTakeFirstOrThrow();
}

function transition(row: DomainRow, verdict: DomainVerdict, finding: Finding): EventDraft | null {
  if (row.state === verdict.state) return null;
  if (verdict.state === 'lost') return lost(row, verdict.message);
  if (verdict.state !== 'verified' || finding.kind !== 'proved') return null;
  const data = { ...referenceOf(row), proof: finding.proof };
  return { type: 'skyrun.domain.verified.v1', ...aboutDomain(row), data };
}

function lost(row: DomainRow, message: string): EventDraft<'skyrun.domain.lost.v1'> {
  return { type: 'skyrun.domain.lost.v1', ...aboutDomain(row), data: { ...referenceOf(row), message } };
}
