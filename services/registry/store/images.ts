import type { Image } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { sql } from 'kysely';
import { LIVE_STATES } from '../observed/instance-order.ts';
import type { ImageRow, Store } from './tables.ts';

export function toImage(row: ImageRow): Image {
  return {
    id: row.id,
    project: row.project,
    name: row.name,
    tag: row.tag,
    digest: row.digest,
    sizeBytes: Number(row.size_bytes),
    layers: row.layers,
    platform: { os: row.os, architecture: row.architecture },
    exposedPorts: row.exposed_ports,
    user: row.user_name,
    createdAt: isoTime(row.created_at.getTime()),
  };
}

/** Newest first: ids are ordered by time. */
export async function listImages(
  store: Store,
  project: string,
  before: string | null,
  limit: number,
): Promise<ImageRow[]> {
  return await store
    .selectFrom('images')
    .selectAll()
    .where('project', '=', project)
    .$if(before !== null, (query) => query.where('id', '<', before ?? ''))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

export async function findImage(store: Store, project: string, id: string): Promise<ImageRow | undefined> {
  return await store
    .selectFrom('images')
    .selectAll()
    .where('project', '=', project)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** The image that a tag points to; it cannot be deleted until this transaction ends. */
export async function lockImageByTag(
  store: Store,
  project: string,
  name: string,
  tag: string,
): Promise<ImageRow | undefined> {
  return await store
    .selectFrom('images')
    .innerJoin('image_tags', 'image_tags.image_id', 'images.id')
    .selectAll('images')
    .where('image_tags.project', '=', project)
    .where('image_tags.name', '=', name)
    .where('image_tags.tag', '=', tag)
    .forShare()
    .executeTakeFirst();
}

/** The newest image of a digest, of that name where one is given; it cannot be deleted until this transaction ends. */
export async function lockImageByDigest(
  store: Store,
  project: string,
  digest: string,
  name: string | null,
): Promise<ImageRow | undefined> {
  return await store
    .selectFrom('images')
    .selectAll()
    .where('project', '=', project)
    .where('digest', '=', digest)
    .$if(name !== null, (query) => query.where('name', '=', name ?? ''))
    .orderBy('id', 'desc')
    .limit(1)
    .forShare()
    .executeTakeFirst();
}

export async function tagsOf(store: Store, project: string, name: string): Promise<string[]> {
  const rows = await store
    .selectFrom('image_tags')
    .select('tag')
    .where('project', '=', project)
    .where('name', '=', name)
    .orderBy('tag')
    .limit(20)
    .execute();
  return rows.map(({ tag }) => tag);
}

export async function imageExists(store: Store, reference: string): Promise<boolean> {
  const row = await store.selectFrom('images').select('id').where('reference', '=', reference).executeTakeFirst();
  return row !== undefined;
}

/** Names of services whose newest or serving revision, or any running instance, needs the image. */
export async function servicesUsing(store: Store, image: ImageRow): Promise<string[]> {
  const rows = await store
    .selectFrom('revisions')
    .innerJoin('services', 'services.id', 'revisions.service_id')
    .select('services.name')
    .distinct()
    .where('revisions.project', '=', image.project)
    .where('revisions.image_reference', '=', image.reference)
    .where((where) =>
      where.or([
        where.and([
          where('services.deleted_at', 'is', null),
          where.or([
            where('services.latest_created_id', '=', where.ref('revisions.id')),
            where('services.latest_ready_id', '=', where.ref('revisions.id')),
            where('revisions.retired_at', 'is', null),
          ]),
        ]),
        where.exists(
          where
            .selectFrom('instances')
            .select('instances.id')
            .whereRef('instances.revision_id', '=', 'revisions.id')
            .where('instances.state', 'in', LIVE_STATES),
        ),
      ]),
    )
    .execute();
  return rows.map(({ name }) => name);
}

/** Nobody else announces, fulfils or removes the reference until the transaction ends. */
export async function lockReference(store: Store, reference: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`skyrun.image.${reference}`}, 0))`.execute(store);
}
