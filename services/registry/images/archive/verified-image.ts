import type { Extent } from './archive-index.ts';
import type { Compression } from './compression.ts';
import type { ImageConfig } from './image-config.ts';

/** What an archive says its image is made of, found but not yet verified. */
export interface ImageParts {
  readonly config: Extent;
  /** What the archive says the configuration's digest is; null where it says nothing. */
  readonly configDigest: string | null;
  readonly layers: readonly LayerPart[];
  /** Names that the archive gives the image, e.g. `web:v1`. */
  readonly names: readonly string[];
}

export interface LayerPart {
  readonly label: string;
  readonly extent: Extent;
  /** What the archive says the digest of the layer is; null where it says nothing. */
  readonly digest: string | null;
  /** Whether `digest` is of the bytes in the archive, or may be of the uncompressed layer as well. */
  readonly digestOf: 'blob' | 'blob or contents';
}

export interface VerifiedLayer {
  readonly diffId: string;
  readonly extent: Extent;
  readonly compression: Compression;
  readonly unpackedBytes: number;
}

/** An image of which every byte that the engine will see was checked. */
export interface VerifiedImage {
  /** Digest of the configuration: the id by which Docker knows the image. */
  readonly digest: string;
  readonly configBytes: Buffer;
  readonly config: ImageConfig;
  readonly layers: readonly VerifiedLayer[];
  readonly names: readonly string[];
  /** Sum of the layers as uploaded. */
  readonly sizeBytes: number;
}
