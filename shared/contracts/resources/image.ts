import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { digest, dnsLabel, imageName, imageTag, timestamp } from '../names.ts';

export const platform = z.object({ os: z.string(), architecture: z.string() });

/** An uploaded OCI image, known by the digest of its configuration (Docker's image id). */
export const image = z.object({
  id: idSchema('image'),
  project: dnsLabel,
  name: imageName,
  tag: imageTag,
  digest,
  sizeBytes: z.int().describe('sum of the layers as uploaded'),
  layers: z.int(),
  platform,
  /** Ports that the image declares (EXPOSE), TCP only. */
  exposedPorts: z.array(z.int()),
  user: z.string().describe('USER of the image; empty when it names none'),
  createdAt: timestamp,
});
export type Image = z.infer<typeof image>;

/** The name under which the container engine holds an image of a project. */
export function engineReference(image: { project: string; name: string; digest: string }): string {
  return `${ENGINE_REFERENCE_HOST}/${image.project}/${image.name}:${image.digest.slice('sha256:'.length, 'sha256:'.length + 24)}`;
}

/** First part of every engine reference of ours; an uploaded archive may not claim another project's. */
export const ENGINE_REFERENCE_HOST = 'skyrun.local';

/** One step of a long upload, sent as NDJSON when the client accepts `application/x-ndjson`. */
export const uploadProgress = z.discriminatedUnion('phase', [
  z.object({ phase: z.literal('receiving'), bytes: z.int() }),
  z.object({ phase: z.literal('validating'), bytes: z.int(), totalBytes: z.int() }),
  z.object({ phase: z.literal('importing'), bytes: z.int(), totalBytes: z.int() }),
  z.object({ phase: z.literal('done'), image }),
  z.object({
    phase: z.literal('failed'),
    problem: z.looseObject({ code: z.string(), status: z.int(), title: z.string() }),
  }),
]);
export type UploadProgress = z.infer<typeof uploadProgress>;
