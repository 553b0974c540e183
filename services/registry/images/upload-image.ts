import { engineReference, type Image, Problem, type UploadProgress } from '@skyrun/contracts';
import { newId } from '@skyrun/kit';
import { appendEvents } from '@skyrun/postgres';
import { toImage } from '../store/images.ts';
import type { ImageRow, Store, Tables } from '../store/tables.ts';
import { SOURCE, type UseCaseDeps } from '../use-case.ts';
import type { ArchiveLimits } from './archive/limits.ts';
import { normalisedArchive } from './archive/normalised-archive.ts';
import type { Platform } from './archive/oci-layout.ts';
import { receive } from './archive/receive.ts';
import type { Spool } from './archive/spool.ts';
import type { VerifiedImage } from './archive/verified-image.ts';
import { verifyArchive } from './archive/verify-archive.ts';
import type { ImageEngine } from './image-engine.ts';
import type { ImageIntents } from './image-intents.ts';
import { chooseName, type NameAndTag, refuseForeignNames } from './image-name.ts';

export interface UploadDeps extends UseCaseDeps {
  readonly spool: Spool;
  readonly engine: ImageEngine;
  readonly intents: ImageIntents;
  readonly limits: ArchiveLimits;
  readonly platform: Platform;
}

export interface UploadImage {
  readonly project: string;
  readonly name?: string | undefined;
  readonly tag?: string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** How long the client says that the body is, in bytes. */
  readonly declaredBytes?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: UploadProgress) => void;
  readonly traceparent?: string | undefined;
}

export interface Uploaded {
  readonly image: Image;
  /** False where the project had the image already; its tag may have moved. */
  readonly created: boolean;
}

/**
 * Spools an upload, verifies it, imports it into the engine and records it. Whatever goes wrong, no file, image or row is
 * left.
 * @throws Problem `image.*`, `platform.disk_full`, `platform.unavailable`, `request.invalid`
 */
export async function uploadImage(input: UploadImage, deps: UploadDeps): Promise<Uploaded> {
  const { project, body, signal, onProgress } = input;
  const { spool, engine, intents, limits, platform } = deps;
  if ((input.declaredBytes ?? 0) > limits.maxUploadBytes) {
    throw new Problem('image.too_large', { detail: `The upload is larger than ${limits.maxUploadBytes} bytes` });
  }
  const file = await spool.create();
  try {
    const onBytes = (bytes: number) => onProgress({ phase: 'receiving', bytes });
    const { archiveBytes } = await receive({ body, file, spool, limits, signal, onBytes });
    const verified = await verifyArchive({
      file,
      archiveBytes,
      limits,
      platform,
      signal,
      checkNames: (names) => refuseForeignNames(names, project),
      onProgress: (bytes, totalBytes) => onProgress({ phase: 'validating', bytes, totalBytes }),
    });
    const { name, tag } = chooseName(input, verified.names);
    const reference = engineReference({ project, name, digest: verified.digest });
    const archive = normalisedArchive(verified, reference, file);
    const announcement = await intents.announce(reference);
    try {
      signal.throwIfAborted();
      const counted = countBytes(archive.stream(), (bytes) =>
        onProgress({ phase: 'importing', bytes, totalBytes: archive.totalBytes }),
      );
      await engine.import({ reference, digest: verified.digest }, counted, signal);
      signal.throwIfAborted();
      return await record(input, verified, { name, tag }, reference, deps, (store) => announcement.fulfil(store));
    } catch (error) {
      await announcement.abandon();
      await intents.sweep(reference);
      throw importProblem(error, signal);
    }
  } finally {
    await file.dispose();
  }
}

async function record(
  input: UploadImage,
  verified: VerifiedImage,
  { name, tag }: NameAndTag,
  reference: string,
  { db, clock }: UploadDeps,
  fulfil: (store: Store) => Promise<void>,
): Promise<Uploaded> {
  const { project, traceparent } = input;
  return await db.transaction(async (tx) => {
    const store = tx.kysely<Tables>();
    await fulfil(store);
    const id = newId('image', clock);
    const row = await store
      .insertInto('images')
      .values({
        id,
        project,
        name,
        digest: verified.digest,
        reference,
        tag,
        size_bytes: verified.sizeBytes,
        layers: verified.layers.length,
        os: verified.config.os,
        architecture: verified.config.architecture,
        exposed_ports: [...verified.config.exposedPorts],
        user_name: verified.config.user,
        created_at: new Date(clock.now()),
      })
      .onConflict((conflict) => conflict.columns(['project', 'name', 'digest']).doUpdateSet({ tag }))
      .returningAll()
      .executeTakeFirstOrThrow();
    const moved = await pointTag(store, row, tag);
    const image = toImage(row);
    const created = row.id === id;
    if (created || moved) {
      const { digest, sizeBytes } = image;
      const data = { id: row.id, project, name, tag, digest, sizeBytes };
      const event = { type: 'skyrun.image.imported.v1' as const, subject: `images/${project}/${name}`, project, data };
      await appendEvents(tx, SOURCE, [{ ...event, ...(traceparent === undefined ? {} : { traceparent }) }], clock);
    }
    return { image, created };
  });
}

/** True where the tag pointed elsewhere before. */
async function pointTag(store: Store, { id, project, name }: ImageRow, tag: string): Promise<boolean> {
  const known = await store
    .selectFrom('image_tags')
    .select('image_id')
    .where('project', '=', project)
    .where('name', '=', name)
    .where('tag', '=', tag)
    .executeTakeFirst();
  if (known?.image_id === id) return false;
  await store
    .insertInto('image_tags')
    .values({ project, name, tag, image_id: id })
    .onConflict((conflict) => conflict.columns(['project', 'name', 'tag']).doUpdateSet({ image_id: id }))
    .execute();
  return true;
}

async function* countBytes(chunks: AsyncIterable<Buffer>, onBytes: (bytes: number) => void) {
  let bytes = 0;
  for await (const chunk of chunks) {
    yield chunk;
    bytes += chunk.length;
    onBytes(bytes);
  }
}

function importProblem(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof Problem || signal.aborted) return error;
  return new Problem('image.import_failed', {
    detail: 'The image could not be handed to the container engine',
    cause: error,
  });
}
