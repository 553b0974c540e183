import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createDecompressor } from './compression.ts';
import type { SpoolFile } from './spool.ts';
import { BLOCK, encodeFileHeader, paddingOf } from './tar-header.ts';
import type { VerifiedImage, VerifiedLayer } from './verified-image.ts';

interface Entry {
  readonly name: string;
  readonly size: number;
  read(): AsyncIterable<Buffer>;
}

export interface NormalisedArchive {
  readonly totalBytes: number;
  /** The archive, read from the spool as it is consumed. */
  stream(): AsyncIterable<Buffer>;
}

const CHUNK = 256 * 1024;

/**
 * What the engine is given instead of the upload: a `docker save` archive that holds the verified configuration and
 * layers under names of ours, one tag, and nothing else.
 */
export function normalisedArchive(image: VerifiedImage, reference: string, file: SpoolFile): NormalisedArchive {
  const layers = new Map(image.layers.map((layer) => [layer.diffId, layer]));
  const configName = `${hexOf(image.digest)}.json`;
  const manifest = Buffer.from(
    JSON.stringify([
      { Config: configName, RepoTags: [reference], Layers: image.layers.map((layer) => layerName(layer.diffId)) },
    ]),
  );
  const entries = [
    bufferEntry('manifest.json', manifest),
    bufferEntry(configName, image.configBytes),
    ...[...layers.values()].map((layer) => layerEntry(layer, file)),
  ];
  const totalBytes = entries.reduce((sum, { size }) => sum + BLOCK + size + paddingOf(size), 2 * BLOCK);
  return {
    totalBytes,
    async *stream() {
      for (const entry of entries) {
        yield encodeFileHeader(entry.name, entry.size);
        yield* entry.read();
        const padding = paddingOf(entry.size);
        if (padding > 0) yield Buffer.alloc(padding);
      }
      yield Buffer.alloc(2 * BLOCK);
    },
  };
}

function bufferEntry(name: string, bytes: Buffer): Entry {
  return {
    name,
    size: bytes.length,
    async *read() {
      yield bytes;
    },
  };
}

/** Engines of all versions read plain and gzipped layers, but older ones no zstd: such a layer goes out unpacked. */
function layerEntry(layer: VerifiedLayer, file: SpoolFile): Entry {
  const { extent, compression } = layer;
  const read = (): AsyncIterable<Buffer> => {
    if (extent.size === 0) return Readable.from([]);
    const blob = createReadStream(file.path, {
      start: extent.offset,
      end: extent.offset + extent.size - 1,
      highWaterMark: CHUNK,
    });
    if (compression !== 'zstd') return blob;
    const unpacked = createDecompressor('zstd');
    blob.once('error', (error) => unpacked.destroy(error));
    unpacked.once('close', () => blob.destroy());
    return blob.pipe(unpacked);
  };
  return { name: layerName(layer.diffId), size: compression === 'zstd' ? layer.unpackedBytes : extent.size, read };
}

function layerName(diffId: string): string {
  return `${hexOf(diffId)}/layer.tar`;
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length);
}
