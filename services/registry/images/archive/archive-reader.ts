import { createHash } from 'node:crypto';
import { Problem, type ProblemCode } from '@skyrun/contracts';
import type { z } from 'zod';
import type { ArchiveIndex, Extent } from './archive-index.ts';
import type { SpoolFile } from './spool.ts';

/** Manifests and configurations are small; one that is not is an attempt to fill the memory. */
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;

/** A spooled archive that has been indexed. */
export interface Archive {
  readonly file: SpoolFile;
  readonly index: ArchiveIndex;
}

export function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** @throws Problem `image.manifest_invalid` where it is too large */
export async function readDocument({ file }: Archive, extent: Extent, label: string): Promise<Buffer> {
  if (extent.size > MAX_DOCUMENT_BYTES) {
    throw new Problem('image.manifest_invalid', { detail: `${label} has ${extent.size} bytes; that is too many` });
  }
  const bytes = Buffer.alloc(extent.size);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await file.handle.read(bytes, filled, bytes.length - filled, extent.offset + filled);
    if (bytesRead === 0) throw new Problem('image.truncated', { detail: `${label} is cut off` });
    filled += bytesRead;
  }
  return bytes;
}

/** @throws Problem `code` with the place and what was expected */
export function parseDocument<Schema extends z.ZodType>(
  bytes: Buffer,
  schema: Schema,
  label: string,
  code: ProblemCode = 'image.manifest_invalid',
): z.infer<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new Problem(code, { detail: `${label} is not JSON`, cause: error });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Problem(code, {
    detail: `${label}: /${issue?.path.map(String).join('/') ?? ''}: ${issue?.message ?? 'not valid'}`,
  });
}
