import { Problem, type Service, type ServiceSpec } from '@skyrun/contracts';
import { newId } from '@skyrun/kit';
import { appendEvents, type Transaction } from '@skyrun/postgres';
import { onceByKey } from '../idempotency.ts';
import { checkSecrets } from '../secrets/check-secrets.ts';
import { completeService, notifyChange } from '../store/services.ts';
import type { ServiceRow, Store, Tables } from '../store/tables.ts';
import { checkTraffic } from '../traffic/check-traffic.ts';
import { SOURCE, type UseCaseDeps } from '../use-case.ts';
import { insertRevision, pinTemplate } from './make-revision.ts';
import { revisionCreated, serviceChanged } from './service-events.ts';
import { urlOf } from './service-state.ts';
import { toService } from './views.ts';

export interface CreateService {
  readonly project: string;
  readonly name: string;
  readonly spec: ServiceSpec;
  readonly caller: string;
  readonly idempotencyKey?: string | undefined;
  readonly traceparent?: string | undefined;
  /** What else is to be written in the same transaction; what it throws undoes everything. */
  readonly alongside?: ((tx: Transaction, service: ServiceRow) => Promise<void>) | undefined;
}

/**
 * Creates a service and its first revision, with their events, in one transaction.
 * @throws Problem `request.invalid`, `resource.already_exists`, `resource.not_found`, `request.idempotency_conflict`
 */
export async function createService(input: CreateService, { db, clock, address }: UseCaseDeps): Promise<Service> {
  const { project, name, spec, caller, idempotencyKey: key, traceparent } = input;
  return await db.transaction(async (tx) => {
    const store = tx.kysely<Tables>();
    const create = async (): Promise<Service> => {
      await checkTraffic(store, { id: null, project, name }, spec.traffic, '/spec/traffic');
      const template = await pinTemplate(store, project, spec.template);
      await checkSecrets(store, project, spec.template);
      const owner = { id: newId('service', clock), project, name };
      const service = await insertService(store, owner, spec, new Date(clock.now()));
      const revision = await insertRevision(store, owner, template, clock);
      const created = await store
        .updateTable('services')
        .set({ latest_created_id: revision.id })
        .where('id', '=', service.id)
        .returningAll()
        .executeTakeFirstOrThrow();
      await appendEvents(
        tx,
        SOURCE,
        [
          serviceChanged('skyrun.service.created.v1', created, urlOf(created, address), traceparent),
          revisionCreated(created, revision, traceparent),
        ],
        clock,
      );
      await input.alongside?.(tx, created);
      await notifyChange(store, created.id);
      return toService(await completeService(store, created), address);
    };
    if (key === undefined) return await create();
    const request = { caller, operation: `createService ${project}`, key, body: { name, spec } };
    return (await onceByKey(store, request, clock, create)).response;
  });
}

async function insertService(
  store: Store,
  owner: { id: string; project: string; name: string },
  spec: ServiceSpec,
  now: Date,
): Promise<ServiceRow> {
  const row = await store
    .insertInto('services')
    .values({
      ...owner,
      generation: 1,
      spec: JSON.stringify(spec),
      latest_created_id: '',
      latest_ready_id: null,
      route_since: null,
      routed: '[]',
      warming: '[]',
      route_problem: null,
      rollout_id: null,
      created_at: now,
      updated_at: now,
      deleted_at: null,
    })
    .onConflict((conflict) => conflict.columns(['project', 'name']).where('deleted_at', 'is', null).doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) {
    throw new Problem('resource.already_exists', {
      detail: `Project ${owner.project} has a service ${owner.name} already; change it instead, or choose another name`,
      errors: [{ field: '/name', message: 'is taken' }],
    });
  }
  return row;
}
