import { Problem } from '@skyrun/contracts';
import { appendEvents } from '@skyrun/postgres';
import { servicesUsing } from '../store/images.ts';
import type { Tables } from '../store/tables.ts';
import { SOURCE, type UseCaseDeps } from '../use-case.ts';
import { type ImageIntents, intendRemoval } from './image-intents.ts';

export interface DeleteImage {
  readonly project: string;
  readonly imageId: string;
  readonly traceparent?: string | undefined;
}

/**
 * Deletes an image that no service needs, and takes it from the engine; if that fails, it is tried again later.
 * @throws Problem `resource.not_found`, `resource.in_use`
 */
export async function deleteImage(
  { project, imageId, traceparent }: DeleteImage,
  { db, clock, intents }: UseCaseDeps & { readonly intents: ImageIntents },
): Promise<void> {
  const reference = await db.transaction(async (tx) => {
    const store = tx.kysely<Tables>();
    const row = await store
      .selectFrom('images')
      .selectAll()
      .where('project', '=', project)
      .where('id', '=', imageId)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined)
      throw new Problem('resource.not_found', { detail: `Project ${project} has no image ${imageId}` });
    const users = await servicesUsing(store, row);
    if (users.length > 0) {
      throw new Problem('resource.in_use', { detail: `Used by ${users.join(', ')}; change or delete that first` });
    }
    await store.deleteFrom('images').where('id', '=', row.id).execute();
    await intendRemoval(store, row.reference, clock);
    const { id, name, tag, digest } = row;
    const data = { id, project, name, tag, digest };
    const event = { type: 'skyrun.image.deleted.v1' as const, subject: `images/${project}/${name}`, project, data };
    await appendEvents(tx, SOURCE, [{ ...event, ...(traceparent === undefined ? {} : { traceparent }) }], clock);
    return row.reference;
  });
  await intents.sweep(reference);
}
