import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Problem } from '@skyrun/contracts';
import { streamSource } from './byte-source.ts';
import { createDecompressor, decompressionProblem, detectCompression } from './compression.ts';
import { scanLayer } from './layer-scan.ts';
import { type ArchiveLimits, isBomb } from './limits.ts';
import type { SpoolFile } from './spool.ts';
import type { LayerPart, VerifiedLayer } from './verified-image.ts';

/** What the layers before have used of the limits that count for all together. */
export interface Budget {
  entries: number;
  unpackedBytes: number;
}

interface Verification {
  readonly file: SpoolFile;
  readonly layer: LayerPart;
  /** What the configuration says the layer is, uncompressed. */
  readonly diffId: string;
  readonly limits: ArchiveLimits;
  readonly budget: Budget;
  readonly signal: AbortSignal;
  /** Called often, with bytes of the archive. */
  readonly onBytes: (bytes: number) => void;
}

const CHUNK = 256 * 1024;

/**
 * Reads a layer once: hashes it as it lies in the archive and uncompressed, and scans its entries.
 * @throws Problem `image.digest_mismatch`, `image.too_large`, `image.truncated` and those of `scanLayer`
 */
export async function verifyLayer(verification: Verification): Promise<VerifiedLayer> {
  const { file, layer, diffId, limits, budget, signal, onBytes } = verification;
  const { extent, label } = layer;
  const start = Buffer.alloc(Math.min(4, extent.size));
  await file.handle.read(start, 0, start.length, extent.offset);
  const compression = detectCompression(start);
  const blobHash = createHash('sha256');
  const contentHash = compression === 'none' ? blobHash : createHash('sha256');
  let compressedBytes = 0;
  let unpackedBytes = 0;

  async function* compressed(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      compressedBytes += chunk.length;
      blobHash.update(chunk);
      onBytes(chunk.length);
      yield chunk;
    }
  }

  async function* unpacked(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      unpackedBytes += chunk.length;
      if (contentHash !== blobHash) contentHash.update(chunk);
      if (budget.unpackedBytes + unpackedBytes > limits.maxUnpackedBytes) {
        throw new Problem('image.too_large', {
          detail: `The layers unpack to more than ${limits.maxUnpackedBytes} bytes`,
        });
      }
      if (isBomb(limits, compressedBytes, unpackedBytes)) {
        throw new Problem('image.too_large', {
          detail: `${label} unpacks to more than ${limits.maxRatio} times its size`,
        });
      }
      yield chunk;
    }
  }

  async function scan(chunks: AsyncIterable<Buffer>) {
    const source = streamSource(unpacked(chunks));
    budget.entries += await scanLayer(source, label, limits, budget.entries);
  }

  if (extent.size > 0) {
    const blob = createReadStream(file.path, {
      start: extent.offset,
      end: extent.offset + extent.size - 1,
      highWaterMark: CHUNK,
    });
    try {
      if (compression === 'none') await pipeline(blob, compressed, scan, { signal });
      else await pipeline(blob, compressed, createDecompressor(compression), scan, { signal });
    } catch (error) {
      throw decompressionProblem(error, label) ?? error;
    }
  }
  if (compressedBytes !== extent.size) {
    throw new Problem('image.size_mismatch', {
      detail: `${label}: data follows after the end of the compressed layer`,
    });
  }
  budget.unpackedBytes += unpackedBytes;
  requireDigest(layer, blobHash, contentHash, diffId);
  return { diffId, extent, compression, unpackedBytes };
}

function requireDigest({ label, digest, digestOf }: LayerPart, blobHash: Hash, contentHash: Hash, diffId: string) {
  const blob = `sha256:${blobHash.digest('hex')}`;
  const content = contentHash === blobHash ? blob : `sha256:${contentHash.digest('hex')}`;
  if (digest !== null && digest !== blob && (digestOf === 'blob' || digest !== content)) {
    throw new Problem('image.digest_mismatch', { detail: `${label} is not what its digest names: it is ${blob}` });
  }
  if (content !== diffId) {
    throw new Problem('image.digest_mismatch', {
      detail: `${label} is not what the configuration names ${diffId}: it is ${content}`,
    });
  }
}
