/** Bounds on an uploaded archive. Each one that is passed answers 413 before the rest is read. */
export interface ArchiveLimits {
  /** Bytes on the wire, as the client sends them. */
  readonly maxUploadBytes: number;
  /** Bytes of the archive once its outer compression is removed; it is what lies on the disk. */
  readonly maxArchiveBytes: number;
  /** Entries of the archive itself. */
  readonly maxEntries: number;
  /** Bytes of one file inside a layer, or of one entry of the archive. */
  readonly maxEntryBytes: number;
  readonly maxLayers: number;
  /** Entries of all layers together. */
  readonly maxLayerEntries: number;
  /** Bytes of all layers once decompressed. */
  readonly maxUnpackedBytes: number;
  /** How many times larger something may become by decompression … */
  readonly maxRatio: number;
  /** … once it is larger than this many bytes: small and very regular files are harmless. */
  readonly ratioFreeBytes: number;
  /** Bytes that must stay free on the disk of the spool. */
  readonly minFreeBytes: number;
}

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

export const DEFAULT_LIMITS: ArchiveLimits = {
  maxUploadBytes: 16 * GIB,
  maxArchiveBytes: 32 * GIB,
  maxEntries: 20_000,
  maxEntryBytes: 16 * GIB,
  maxLayers: 500,
  maxLayerEntries: 2_000_000,
  maxUnpackedBytes: 64 * GIB,
  maxRatio: 200,
  ratioFreeBytes: 256 * MIB,
  minFreeBytes: 512 * MIB,
};

/** True where decompression has made so much out of so little that it can only be meant to fill the disk. */
export function isBomb(limits: ArchiveLimits, compressedBytes: number, unpackedBytes: number): boolean {
  return unpackedBytes > limits.ratioFreeBytes && unpackedBytes > compressedBytes * limits.maxRatio;
}
