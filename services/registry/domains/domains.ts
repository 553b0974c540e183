import { randomBytes } from 'node:crypto';
import { type Domain, type DomainProof, type EventDraft, Problem } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { appendEvents } from '@skyrun/postgres';
import { hostOf, type PublicAddress, urlAt } from '../services/service-state.ts';
import { countDomains, findDomain, lockDomainsOf, lockName } from '../store/domains.ts';
import { lockService, notifyChange } from '../store/services.ts';
import type { DomainRow, Tables } from '../store/tables.ts';
import { SOURCE, type UseCaseDeps } from '../use-case.ts';
import { isWildcard, proofsOf } from './proofs.ts';

interface Named {
  readonly project: string;
  readonly name: string;
}

/**
 * @throws Problem `resource.already_exists`, `resource.not_found`, `resource.limit_reached`, `request.invalid` for a name of the
 * platform's own
 */
export async function addDomain(
  { project, name, service: serviceName }: Named & { readonly service: string },
  { db, clock, address, projectDomains }: UseCaseDeps & { readonly projectDomains: number },
): Promise<Domain> {
  refusePlatformNames(name, address);
  return await db.transaction(async (tx) => {
    const store = tx.kysely<Tables>();
    const service = await lockService(store, project, serviceName);
    if (service === undefined) {
      throw new Problem('resource.not_found', {
        detail: `Project ${project} has no service ${serviceName}`,
        errors: [{ field: '/service', message: 'names no service of the project' }],
      });
    }
    await lockDomainsOf(store, project);
    const now = new Date(clock.now());
    const row = await store
      .insertInto('domains')
      .values({
        project,
        name,
        service_id: service.id,
        service: serviceName,
        token: randomBytes(20).toString('hex'),
        state: 'pending',
        reason: 'not_checked',
        message: 'Not looked for yet.',
        created_at: now,
        verified_at: null,
        checked_at: null,
        missing_since: null,
        next_check_at: now,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) {
      throw new Problem('resource.already_exists', {
        detail: `Project ${project} has ${name} already; remove it first to lead it to another service`,
        errors: [{ field: '/name', message: 'is there already' }],
      });
    }
    if ((await countDomains(store, project)) > projectDomains) {
      throw new Problem('resource.limit_reached', {
        detail: `Project ${project} has ${projectDomains} domains, as many as it may have; remove one that is not needed`,
        errors: [{ field: '/name', message: `would be more than the ${projectDomains} of the project` }],
      });
    }
    await appendEvents(tx, SOURCE, [domainEvent('skyrun.domain.added.v1', row)], clock);
    await notifyChange(store, service.id);
    return toDomain(row, address);
  });
}

/** @throws Problem `resource.not_found` */
export async function removeDomain({ project, name }: Named, { db, clock }: UseCaseDeps): Promise<void> {
  await db.transaction(async (tx) => {
    const store = tx.kysely<Tables>();
    await lockName(store, name);
    const row = await findDomain(store, project, name);
    if (row === undefined) throw noDomain({ project, name });
    await store.deleteFrom('domains').where('project', '=', project).where('name', '=', name).execute();
    await appendEvents(tx, SOURCE, [domainEvent('skyrun.domain.removed.v1', row)], clock);
    await notifyChange(store, row.service_id);
  });
}

export function noDomain({ project, name }: Named): Problem {
  return new Problem('resource.not_found', { detail: `Project ${project} has no domain ${name}` });
}

export function proofsOfRow(row: DomainRow, address: PublicAddress): DomainProof[] {
  return proofsOf(row.name, row.token, hostOf({ project: row.project, name: row.service }, address));
}

export function toDomain(row: DomainRow, address: PublicAddress): Domain {
  const { project, name, service, state, reason, message } = row;
  const time = (at: Date | null) => (at === null ? null : isoTime(at.getTime()));
  return {
    project,
    name,
    service,
    state,
    reason,
    message,
    proofs: proofsOfRow(row, address),
    url: isWildcard(name) ? null : urlAt(name, address),
    createdAt: isoTime(row.created_at.getTime()),
    verifiedAt: time(row.verified_at),
    checkedAt: time(row.checked_at),
    nextCheckAt: isoTime(row.next_check_at.getTime()),
  };
}

export function domainEvent(
  type: 'skyrun.domain.added.v1' | 'skyrun.domain.removed.v1',
  row: DomainRow,
): EventDraft<typeof type> {
  return { type, ...aboutDomain(row), data: referenceOf(row) };
}

export function aboutDomain({ project, name }: DomainRow) {
  return { subject: `domains/${project}/${name}`, project };
}

export function referenceOf({ project, name, service }: DomainRow) {
  return { project, domain: name, service };
}

/** Hosts below the platform's own domain are given by name; a claim to one could take another's. */
function refusePlatformNames(name: string, { baseDomain }: PublicAddress): void {
  const host = isWildcard(name) ? name.slice(2) : name;
  if (host !== baseDomain && !host.endsWith(`.${baseDomain}`)) return;
  throw new Problem('request.invalid', {
    detail: `${name} is of the platform itself, whose hosts are <service>.<project>.${baseDomain}`,
    errors: [{ field: '/name', message: `must not lie below ${baseDomain}` }],
  });
}
