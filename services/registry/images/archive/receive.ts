import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Problem } from '@skyrun/contracts';
import { createDecompressor, decompressionProblem, detectCompression } from './compression.ts';
import { type ArchiveLimits, isBomb } from './limits.ts';
import { diskProblem, type Spool, type SpoolFile } from './spool.ts';
import { BLOCK, decodeHeader } from './tar-header.ts';

export interface Received {
  /** As sent. */
  readonly uploadBytes: number;
  /** As spooled, without the outer compression. */
  readonly archiveBytes: number;
}

interface Receiving {
  readonly body: AsyncIterable<Uint8Array>;
  readonly file: SpoolFile;
  readonly spool: Spool;
  readonly limits: ArchiveLimits;
  readonly signal: AbortSignal;
  /** Called often. */
  readonly onBytes: (uploadBytes: number) => void;
}

const LABEL = 'archive';
/** How many bytes are written between two looks at the free space. */
const SPACE_CHECK_BYTES = 64 * 1024 * 1024;

/**
 * Writes an upload to its spool file, without its outer compression. What is not an archive is refused at its first
 * block, and what is too large at the byte that makes it so.
 * @throws Problem `image.not_an_archive`, `image.truncated`, `image.too_large`, `platform.disk_full`
 */
export async function receive({ body, file, spool, limits, signal, onBytes }: Receiving): Promise<Received> {
  let uploadBytes = 0;
  let archiveBytes = 0;
  let nextSpaceCheck = 0;
  let start = Buffer.alloc(0);

  async function* counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      uploadBytes += chunk.length;
      if (uploadBytes > limits.maxUploadBytes) {
        throw new Problem('image.too_large', {
          detail: `The upload is larger than ${limits.maxUploadBytes} bytes`,
        });
      }
      onBytes(uploadBytes);
      yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    }
  }

  async function write(chunks: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of chunks) {
      if (start.length < BLOCK) {
        start = Buffer.concat([start, chunk.subarray(0, BLOCK - start.length)]);
        if (start.length === BLOCK) requireTar(start);
      }
      if (archiveBytes >= nextSpaceCheck) {
        await spool.requireSpace(limits.minFreeBytes);
        nextSpaceCheck += SPACE_CHECK_BYTES;
      }
      if (archiveBytes + chunk.length > limits.maxArchiveBytes) {
        throw new Problem('image.too_large', {
          detail: `The archive is larger than ${limits.maxArchiveBytes} bytes`,
        });
      }
      await writeAll(file, chunk, archiveBytes);
      archiveBytes += chunk.length;
      if (isBomb(limits, uploadBytes, archiveBytes)) {
        throw new Problem('image.too_large', {
          detail: `The upload unpacks to more than ${limits.maxRatio} times its size`,
        });
      }
    }
  }

  const { first, rest } = await peek(counted(body));
  const compression = detectCompression(first);
  try {
    if (compression === 'none') await pipeline(rest, write, { signal });
    else await pipeline(Readable.from(rest), createDecompressor(compression), write, { signal });
  } catch (error) {
    throw decompressionProblem(error, LABEL) ?? diskProblem(error) ?? error;
  }
  if (archiveBytes === 0) throw new Problem('image.not_an_archive', { detail: 'The upload is empty' });
  if (archiveBytes < BLOCK)
    throw new Problem('image.not_an_archive', { detail: 'The upload is too short to be a tar archive' });
  return { uploadBytes, archiveBytes };
}

function requireTar(start: Buffer) {
  const result = decodeHeader(start);
  if (result.kind === 'header') return;
  throw new Problem('image.not_an_archive', {
    detail:
      'The upload is not a tar archive, plain or compressed by gzip or zstd. Upload the output of docker save or an OCI layout.',
  });
}

/** The first bytes (at least 4 where there are as many) and the whole stream. */
async function peek(chunks: AsyncGenerator<Buffer>): Promise<{ first: Buffer; rest: AsyncGenerator<Buffer> }> {
  const parts: Buffer[] = [];
  let length = 0;
  while (length < 4) {
    const next = await chunks.next();
    if (next.done) break;
    parts.push(next.value);
    length += next.value.length;
  }
  const first = Buffer.concat(parts);
  async function* whole() {
    if (first.length > 0) yield first;
    yield* chunks;
  }
  return { first, rest: whole() };
}

async function writeAll(file: SpoolFile, chunk: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < chunk.length) {
    const { bytesWritten } = await file.handle.write(chunk, written, chunk.length - written, position + written);
    written += bytesWritten;
  }
}
