import { isDeepStrictEqual } from 'node:util';
import { type Clock, isoTime } from '@skyrun/kit';
import { appendEvents, type Transaction } from '@skyrun/postgres';
import { trafficStatus } from '../services/views.ts';
import { readyRevisions } from '../store/observed.ts';
import { findRollout } from '../store/rollouts.ts';
import { findRevisionById, markRetired, notifyChange, revisionsNamed } from '../store/services.ts';
import type { RoutedTarget, ServiceRow, Tables } from '../store/tables.ts';
import { SOURCE, type UseCaseDeps } from '../use-case.ts';
import { type Resolution, resolveTraffic } from './resolve-traffic.ts';

export interface TrafficDeps extends Pick<UseCaseDeps, 'address'> {
  readonly clock: Clock;
  /** How long a revision that had traffic goes on running without any. */
  readonly lingerMs: number;
}

/**
 * Makes a locked service's traffic what its spec, its revisions and its rollout say now, and tells of it where it moved.
 * Idempotent: call it after whatever may have changed one of the three.
 */
export async function settleTraffic(
  tx: Transaction,
  service: ServiceRow,
  { clock, address, lingerMs }: TrafficDeps,
  why?: string,
): Promise<ServiceRow> {
  const store = tx.kysely<Tables>();
  const now = new Date(clock.now());
  const names = service.spec.traffic.flatMap(({ revisionName }) => revisionName ?? []);
  const resolution = resolveTraffic({
    targets: service.spec.traffic,
    named: await revisionsNamed(store, service.id, names),
    latestReady:
      service.latest_ready_id === null ? null : ((await findRevisionById(store, service.latest_ready_id)) ?? null),
    rollout: service.rollout_id === null ? null : ((await findRollout(store, service.rollout_id)) ?? null),
    routed: service.routed,
    ready: await readyRevisions(store, service.id),
  });
  const problem = problemSince(resolution.problem, service, isoTime(now.getTime()));
  const moved = !isDeepStrictEqual(resolution.routed, service.routed);
  const settled =
    moved ||
    !isDeepStrictEqual(resolution.warming, service.warming) ||
    !isDeepStrictEqual(problem, service.route_problem)
      ? await store
          .updateTable('services')
          .set({
            routed: JSON.stringify(resolution.routed),
            warming: JSON.stringify(resolution.warming),
            route_problem: problem === null ? null : JSON.stringify(problem),
            route_since: service.route_since ?? (resolution.routed.length > 0 ? now : null),
          })
          .where('id', '=', service.id)
          .returningAll()
          .executeTakeFirstOrThrow()
      : service;
  const ids = service.routed.filter(({ percent }) => percent > 0).map(({ revisionId }) => revisionId);
  await markRetired(store, settled, now, { ids, ms: lingerMs });
  if (moved) {
    const after = trafficStatus(settled, settled.routed, address);
    const { project, name, id } = service;
    const data = {
      project,
      service: name,
      serviceId: id,
      before: trafficStatus(service, service.routed, address),
      after,
      sentence: `${shares(settled.routed)}${why === undefined ? '' : `: ${why}`}`,
    };
    const subject = `services/${project}/${name}`;
    await appendEvents(tx, SOURCE, [{ type: 'skyrun.traffic.moved.v1', subject, project, data }], clock);
  }
  await notifyChange(store, service.id);
  return settled;
}

function problemSince(problem: Resolution['problem'], service: ServiceRow, now: string): ServiceRow['route_problem'] {
  if (problem === null) return null;
  const known = service.route_problem;
  return { ...problem, since: known?.status === problem.status && known.reason === problem.reason ? known.since : now };
}

/** `90 % to hello-00001, 10 % to hello-00002`. */
function shares(routed: readonly RoutedTarget[]): string {
  const parts = routed.map(({ revisionName, percent, tag }) =>
    tag === undefined ? `${percent} % to ${revisionName}` : `${percent} % to ${revisionName} (tag ${tag})`,
  );
  return parts.length === 0 ? 'no traffic' : parts.join(', ');
}
