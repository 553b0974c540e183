import type { Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { Problem } from '@skyrun/contracts';

export type Compression = 'none' | 'gzip' | 'zstd';

/** Told by the first bytes, never by a media type or a file name. */
export function detectCompression(start: Buffer): Compression {
  if (start.length >= 2 && start[0] === 0x1f && start[1] === 0x8b) return 'gzip';
  if (start.length >= 4 && start.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
  return 'none';
}

export function createDecompressor(compression: Exclude<Compression, 'none'>): Transform {
  return compression === 'gzip'
    ? createGunzip({ chunkSize: 128 * 1024 })
    : createZstdDecompress({ chunkSize: 128 * 1024 });
}

/** The problem behind an error of a decompressor; null where the error is not one. */
export function decompressionProblem(error: unknown, label: string): Problem | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  const { code } = error;
  if (code === 'Z_BUF_ERROR') {
    return new Problem('image.truncated', { detail: `${label}: the compressed data is cut off`, cause: error });
  }
  if (code.startsWith('Z_') || code.startsWith('ZSTD_')) {
    return new Problem('image.not_an_archive', { detail: `${label}: the compressed data is damaged`, cause: error });
  }
  return null;
}
