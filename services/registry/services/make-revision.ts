import type { RevisionTemplate } from '@skyrun/contracts';
import { type Clock, newId } from '@skyrun/kit';
import { pinImage } from '../images/pin-image.ts';
import { nextRevisionNumber } from '../store/services.ts';
import type { RevisionRow, Store } from '../store/tables.ts';
import { type PinnedTemplate, revisionName } from './template.ts';

/** @throws Problem `request.invalid`, `resource.not_found` where the image is not one of the project's */
export async function pinTemplate(store: Store, project: string, template: RevisionTemplate): Promise<PinnedTemplate> {
  const image = await pinImage(store, project, template.image);
  return { template, imageDigest: image.digest, imageReference: image.reference };
}

export async function insertRevision(
  store: Store,
  owner: { readonly id: string; readonly project: string; readonly name: string },
  { template, imageDigest, imageReference }: PinnedTemplate,
  clock: Clock,
): Promise<RevisionRow> {
  const number = await nextRevisionNumber(store, owner.project, owner.name);
  const now = new Date(clock.now());
  return await store
    .insertInto('revisions')
    .values({
      id: newId('revision', clock),
      service_id: owner.id,
      project: owner.project,
      service: owner.name,
      number,
      name: revisionName(owner.name, number),
      image_digest: imageDigest,
      image_reference: imageReference,
      template: JSON.stringify(template),
      state_since: now,
      created_at: now,
      retired_at: null,
      lingers_until: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}
