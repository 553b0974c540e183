import { isDeepStrictEqual } from 'node:util';
import { keepUnsaid, Problem, type Service, type ServiceSpec } from '@skyrun/contracts';
import { appendEvents, type Transaction } from '@skyrun/postgres';
import { supersedeRollout } from '../rollout/move-rollout.ts';
import { checkSecrets } from '../secrets/check-secrets.ts';
import { completeService, lockService } from '../store/services.ts';
import type { RevisionRow, ServiceRow, Tables } from '../store/tables.ts';
import { checkTraffic } from '../traffic/check-traffic.ts';
import { settleTraffic, type TrafficDeps } from '../traffic/settle-traffic.ts';
import { SOURCE, type UseCaseDeps } from '../use-case.ts';
import { insertRevision, pinTemplate } from './make-revision.ts';
import { pruneRevisions } from './prune-revisions.ts';
import { requireMatch } from './require-match.ts';
import { revisionCreated, serviceChanged } from './service-events.ts';
import { urlOf } from './service-state.ts';
import { type PinnedTemplate, sameTemplate } from './template.ts';
import { toService } from './views.ts';

export interface ReplaceService {
  readonly project: string;
  readonly name: string;
  readonly spec: ServiceSpec;
  readonly ifMatch?: string | undefined;
  /** The spec came in Knative's form: what that has no words for stays as it is. */
  readonly keepsUnsaid?: boolean;
  readonly traceparent?: string | undefined;
  /** What else is to be written in the same transaction; what it throws undoes everything. */
  readonly alongside?: ((tx: Transaction, service: ServiceRow) => Promise<void>) | undefined;
}

/**
 * Changes the spec. A template that would run differently makes a revision; a spec that says the same changes nothing.
 * @throws Problem `request.invalid`, `resource.not_found`, `resource.precondition_failed`
 */
export async function replaceService(
  input: ReplaceService,
  deps: UseCaseDeps & TrafficDeps & { readonly retainedRevisions: number },
): Promise<Service> {
  const { db, clock, address } = deps;
  const { project, name, ifMatch, traceparent } = input;
  return await db.transaction(async (tx) => {
    const store = tx.kysely<Tables>();
    const current = await lockService(store, project, name);
    if (current === undefined) {
      throw new Problem('resource.not_found', { detail: `Project ${project} has no service ${name}` });
    }
    requireMatch(current, ifMatch);
    const spec = input.keepsUnsaid ? keepUnsaid(input.spec, current.spec) : input.spec;
    await checkTraffic(store, current, spec.traffic, '/spec/traffic');
    await input.alongside?.(tx, current);
    const pinned = await pinTemplate(store, project, spec.template);
    await checkSecrets(store, project, spec.template);
    const { newest } = await completeService(store, current);
    const revision = sameTemplate(pinned, pinnedOf(newest))
      ? null
      : await insertRevision(store, current, pinned, clock);
    if (revision === null && isDeepStrictEqual(current.spec, JSON.parse(JSON.stringify(spec)))) {
      return toService(await completeService(store, current), address);
    }
    const asBefore = isDeepStrictEqual(current.spec.traffic, JSON.parse(JSON.stringify(spec.traffic)));
    if (!asBefore) await supersedeRollout(tx, current, 'traffic was set by hand', clock);
    const changed = await store
      .updateTable('services')
      .set({
        generation: current.generation + 1,
        spec: JSON.stringify(spec),
        latest_created_id: (revision ?? newest).id,
        rollout_id: asBefore ? current.rollout_id : null,
        updated_at: new Date(clock.now()),
      })
      .where('id', '=', current.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    const settled = await settleTraffic(tx, changed, deps, 'the spec was changed');
    await appendEvents(
      tx,
      SOURCE,
      [
        serviceChanged('skyrun.service.updated.v1', changed, urlOf(changed, address), traceparent),
        ...(revision === null ? [] : [revisionCreated(changed, revision, traceparent)]),
        ...(revision === null ? [] : await pruneRevisions(store, settled, deps.retainedRevisions)),
      ],
      clock,
    );
    return toService(await completeService(store, settled), address);
  });
}

function pinnedOf(revision: RevisionRow): PinnedTemplate {
  return {
    template: revision.template,
    imageDigest: revision.image_digest,
    imageReference: revision.image_reference,
  };
}
