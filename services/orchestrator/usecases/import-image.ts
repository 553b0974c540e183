import { Problem } from '@skyrun/contracts';
import type { Logger } from '@skyrun/kit';
import { type Runtime, RuntimeError } from '../runtime/runtime.ts';

export interface ImportImage {
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly archive: AsyncIterable<Uint8Array>;
  readonly reference: string;
  readonly digest: string;
  readonly signal: AbortSignal;
}

/**
 * Loads a validated archive and makes sure that the engine now holds what the registry validated, under its name.
 * Throws `image.import_failed`, `platform.unavailable`, `platform.disk_full`.
 */
export async function importImage(input: ImportImage): Promise<{ digest: string }> {
  const { runtime, logger, archive, reference, digest, signal } = input;
  let id: string;
  try {
    ({ id } = await runtime.images.import(archive, reference, signal));
  } catch (error) {
    throw importProblem(error);
  }
  if (id === digest) return { digest };
  await runtime.images.remove(reference).catch((error: unknown) => {
    logger.warn({ error, reference }, 'an image that is not what was promised could not be removed');
  });
  throw new Problem('image.import_failed', {
    detail: `the engine holds ${reference} as ${id}, which is not ${digest}`,
  });
}

export function importProblem(error: unknown): unknown {
  if (!(error instanceof RuntimeError)) return error;
  if (error.code === 'unavailable') {
    return new Problem('platform.unavailable', { detail: error.message, retryAfterSeconds: 5, cause: error });
  }
  if (error.code === 'no_capacity') return new Problem('platform.disk_full', { detail: error.message, cause: error });
  if (error.code === 'image_in_use') return new Problem('resource.in_use', { detail: error.message, cause: error });
  return new Problem('image.import_failed', { detail: error.message, cause: error });
}
