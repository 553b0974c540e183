import { Problem } from '@skyrun/contracts';
import { appendEvents } from '@skyrun/postgres';
import { domainEvent } from '../domains/domains.ts';
import { dropDomains } from '../store/domains.ts';
import { lockService, markRetired, notifyChange } from '../store/services.ts';
import type { Tables } from '../store/tables.ts';
import { SOURCE, type UseCaseDeps } from '../use-case.ts';
import { requireMatch } from './require-match.ts';
import { serviceDeleted } from './service-events.ts';

export interface DeleteService {
  readonly project: string;
  readonly name: string;
  readonly ifMatch?: string | undefined;
  readonly traceparent?: string | undefined;
}

/**
 * Takes a service away: its host answers no more, its revisions are retired, its name is free again.
 * @throws Problem `resource.not_found`, `resource.precondition_failed`
 */
export async function deleteService(input: DeleteService, { db, clock }: UseCaseDeps): Promise<void> {
  const { project, name, ifMatch, traceparent } = input;
  await db.transaction(async (tx) => {
    const store = tx.kysely<Tables>();
    const service = await lockService(store, project, name);
    if (service === undefined) {
      throw new Problem('resource.not_found', { detail: `Project ${project} has no service ${name}` });
    }
    requireMatch(service, ifMatch);
    const deleted = await store
      .updateTable('services')
      .set({ deleted_at: new Date(clock.now()) })
      .where('id', '=', service.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await markRetired(store, deleted, new Date(clock.now()));
    const domains = await dropDomains(store, service.id);
    const gone = domains.map((domain) => domainEvent('skyrun.domain.removed.v1', domain));
    await appendEvents(tx, SOURCE, [...gone, serviceDeleted(service, traceparent)], clock);
    await notifyChange(store, service.id);
  });
}
