import { OPERATIONS, Problem } from '@skyrun/contracts';
import type { Client } from '@skyrun/kit';
import { type EngineAddress, sendArchive } from './send-archive.ts';

/** The container engine, as images see it. */
export interface ImageEngine {
  /** @throws Problem `image.import_failed`, `platform.unavailable` */
  import(
    image: { reference: string; digest: string },
    archive: AsyncIterable<Buffer>,
    signal: AbortSignal,
  ): Promise<void>;
  /** One that is not there is removed already. */
  remove(reference: string, signal: AbortSignal): Promise<void>;
}

/** The engine behind the orchestrator. */
export function createImageEngine(orchestrator: Client, address: EngineAddress): ImageEngine {
  return {
    async import({ reference, digest }, archive, signal) {
      const imported = await sendArchive(address, { reference, digest }, archive, signal);
      if (imported.digest !== digest) {
        throw new Problem('image.import_failed', {
          detail: `The container engine made ${imported.digest} of ${digest}`,
        });
      }
    },
    async remove(reference, signal) {
      try {
        await orchestrator.call(OPERATIONS.removeImage, { query: { reference }, signal });
      } catch (error) {
        if (!(error instanceof Problem && error.code === 'resource.not_found')) throw error;
      }
    },
  };
}
