import { isDeepStrictEqual } from 'node:util';
import { Problem, type Service, type ServiceSpec } from '@skyrun/contracts';
import { appendEvents } from '@skyrun/postgres';
import { completeService, lockService, markRetired, notifyChange } from '../store/services.ts';
import type { RevisionRow, ServiceRow, Tables } from '../store/tables.ts';
import { SOURCE, type UseCaseDeps } from '../use-case.ts';
import { insertRevision, pinTemplate } from './make-revision.ts';
import { revisionCreated, serviceChanged } from './service-events.ts';
import { urlOf } from './service-state.ts';
import { type PinnedTemplate, sameTemplate } from './template.ts';
import { requireSupportedTraffic } from './traffic.ts';
import { etagOf, toService } from './views.ts';

export interface ReplaceService {
  readonly project: string;
  readonly name: string;
  readonly spec: ServiceSpec;
  readonly ifMatch?: string | undefined;
  readonly traceparent?: string | undefined;
}

/**
 * Changes the spec. A template that would run differently makes a revision; a spec that says the same changes nothing.
 * @throws Problem `request.invalid`, `resource.not_found`, `resource.precondition_failed`
 */
export async function replaceService(input: ReplaceService, { db, clock, address }: UseCaseDeps): Promise<Service> {
  const { project, name, spec, ifMatch, traceparent } = input;
  requireSupportedTraffic(spec.traffic);
  return await db.transaction(async (tx) => {
    const store = tx.kysely<Tables>();
    const current = await lockService(store, project, name);
    if (current === undefined) {
      throw new Problem('resource.not_found', { detail: `Project ${project} has no service ${name}` });
    }
    requireMatch(current, ifMatch);
    const pinned = await pinTemplate(store, project, spec.template);
    const { newest } = await completeService(store, current);
    const revision = sameTemplate(pinned, pinnedOf(newest))
      ? null
      : await insertRevision(store, current, pinned, clock);
    if (revision === null && isDeepStrictEqual(current.spec, JSON.parse(JSON.stringify(spec)))) {
      return toService(await completeService(store, current), address);
    }
    const changed = await store
      .updateTable('services')
      .set({
        generation: current.generation + 1,
        spec: JSON.stringify(spec),
        latest_created_id: (revision ?? newest).id,
        updated_at: new Date(clock.now()),
      })
      .where('id', '=', current.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await markRetired(store, changed, changed.updated_at);
    await appendEvents(
      tx,
      SOURCE,
      [
        serviceChanged('skyrun.service.updated.v1', changed, urlOf(changed, address), traceparent),
        ...(revision === null ? [] : [revisionCreated(changed, revision, traceparent)]),
      ],
      clock,
    );
    await notifyChange(store, changed.id);
    return toService(await completeService(store, changed), address);
  });
}

function pinnedOf(revision: RevisionRow): PinnedTemplate {
  return {
    template: revision.template,
    imageDigest: revision.image_digest,
    imageReference: revision.image_reference,
  };
}

/** @throws Problem `resource.precondition_failed` */
export function requireMatch(service: ServiceRow, ifMatch: string | undefined): void {
  if (ifMatch === undefined) return;
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  if (tags.includes('*') || tags.includes(etagOf(service))) return;
  throw new Problem('resource.precondition_failed', {
    detail: `The service is at generation ${service.generation} now; read it again and repeat the change`,
  });
}
