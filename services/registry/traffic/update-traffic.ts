import { isDeepStrictEqual } from 'node:util';
import { Problem, type Service, type TrafficTarget } from '@skyrun/contracts';
import { appendEvents, type Transaction } from '@skyrun/postgres';
import { supersedeRollout } from '../rollout/move-rollout.ts';
import { requireMatch } from '../services/require-match.ts';
import { serviceChanged } from '../services/service-events.ts';
import { urlOf } from '../services/service-state.ts';
import { toService } from '../services/views.ts';
import { completeService, lockService } from '../store/services.ts';
import type { ServiceRow, Tables } from '../store/tables.ts';
import { SOURCE, type UseCaseDeps } from '../use-case.ts';
import { checkTraffic } from './check-traffic.ts';
import { settleTraffic, type TrafficDeps } from './settle-traffic.ts';

export interface UpdateTraffic {
  readonly project: string;
  readonly name: string;
  readonly traffic: readonly TrafficTarget[];
  readonly ifMatch?: string | undefined;
  readonly traceparent?: string | undefined;
}

/**
 * Sets who gets the traffic, at once: a rollout that is under way ends, and one that was rolled back is forgiven.
 * @throws Problem `request.invalid`, `resource.not_found`, `resource.precondition_failed`
 */
export async function updateTraffic(input: UpdateTraffic, deps: UseCaseDeps & TrafficDeps): Promise<Service> {
  return await deps.db.transaction(async (tx) => {
    const service = await requireLocked(tx, input);
    requireMatch(service, input.ifMatch);
    return await assign(tx, service, { ...input, why: 'traffic was set by hand' }, deps);
  });
}

export interface RollBack {
  readonly project: string;
  readonly name: string;
  readonly toRevision?: string | undefined;
  readonly traceparent?: string | undefined;
}

/**
 * Sends all traffic to the revision before the newest that has any, or to the named one. Tags stay.
 * @throws Problem `request.invalid`, `resource.not_found`, `resource.conflict` where there is nothing to go back to
 */
export async function rollBack(input: RollBack, deps: UseCaseDeps & TrafficDeps): Promise<Service> {
  return await deps.db.transaction(async (tx) => {
    const service = await requireLocked(tx, input);
    const target = input.toRevision ?? (await revisionBefore(tx, service));
    const tags = service.spec.traffic
      .filter(({ tag }) => tag !== undefined)
      .map((tagged) => ({ ...tagged, percent: 0 }));
    const traffic = [{ revisionName: target, percent: 100 }, ...tags];
    return await assign(tx, service, { ...input, traffic, why: `rolled back to ${target} by hand` }, deps);
  });
}

async function requireLocked(
  tx: Transaction,
  { project, name }: { project: string; name: string },
): Promise<ServiceRow> {
  const service = await lockService(tx.kysely<Tables>(), project, name);
  if (service === undefined) {
    throw new Problem('resource.not_found', { detail: `Project ${project} has no service ${name}` });
  }
  return service;
}

async function assign(
  tx: Transaction,
  current: ServiceRow,
  {
    traffic,
    traceparent,
    why,
  }: { readonly traffic: readonly TrafficTarget[]; readonly traceparent?: string | undefined; readonly why: string },
  deps: UseCaseDeps & TrafficDeps,
): Promise<Service> {
  const { address, clock } = deps;
  const store = tx.kysely<Tables>();
  await checkTraffic(store, current, traffic, '/traffic');
  const spec = { ...current.spec, traffic: [...traffic] };
  const same = isDeepStrictEqual(JSON.parse(JSON.stringify(spec)), current.spec);
  await supersedeRollout(tx, current, why, clock);
  const changed =
    same && current.rollout_id === null
      ? current
      : await store
          .updateTable('services')
          .set({
            generation: current.generation + 1,
            spec: JSON.stringify(spec),
            rollout_id: null,
            updated_at: new Date(clock.now()),
          })
          .where('id', '=', current.id)
          .returningAll()
          .executeTakeFirstOrThrow();
  if (changed !== current) {
    const event = serviceChanged('skyrun.service.updated.v1', changed, urlOf(changed, address), traceparent);
    await appendEvents(tx, SOURCE, [event], clock);
  }
  const settled = await settleTraffic(tx, changed, deps, why);
  return toService(await completeService(store, settled), address);
}

/** The other side of a rollout; else the newest ready revision before the newest that has traffic. */
async function revisionBefore(tx: Transaction, service: ServiceRow): Promise<string> {
  const store = tx.kysely<Tables>();
  const { rollout, routed } = await completeService(store, service);
  if (rollout?.state === 'running') return rollout.from_revision;
  const serving = routed.filter(({ percent }) => percent > 0);
  const [main] = serving.toSorted((one, other) => other.revision.number - one.revision.number);
  const before =
    main === undefined
      ? undefined
      : await store
          .selectFrom('revisions')
          .select('name')
          .where('service_id', '=', service.id)
          .where('number', '<', main.revision.number)
          .where('state', '=', 'ready')
          .orderBy('number', 'desc')
          .limit(1)
          .executeTakeFirst();
  if (before === undefined) {
    throw new Problem('resource.conflict', {
      detail: `${service.name} has no earlier revision that was ready; name one with toRevision`,
    });
  }
  return before.name;
}
