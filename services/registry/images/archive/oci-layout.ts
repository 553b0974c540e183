import { Problem } from '@skyrun/contracts';
import type { Extent } from './archive-index.ts';
import { type Archive, parseDocument, readDocument, sha256 } from './archive-reader.ts';
import {
  type Descriptor,
  descriptorKind,
  type ImageManifest,
  imageIndex,
  imageManifest,
  isAttestation,
  namesOf,
} from './manifest.ts';
import type { ImageParts } from './verified-image.ts';

export const OCI_INDEX = 'index.json';

/** An index may hold indexes; deeper than any tool writes is an attempt to keep us busy. */
const MAX_DEPTH = 4;
const MAX_DESCRIPTORS = 1000;

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

interface Candidate {
  readonly descriptor: Descriptor;
  readonly names: readonly string[];
}

/**
 * Finds the one image for our platform in an OCI layout.
 * @throws Problem `image.manifest_invalid`, `image.multiple_images`, `image.wrong_platform`, `image.layer_missing`,
 *   `image.digest_mismatch`, `image.size_mismatch`
 */
export async function findOciImage(archive: Archive, root: Extent, platform: Platform): Promise<ImageParts> {
  const candidates = new Map<string, Candidate>();
  await collect(archive, await readDocument(archive, root, OCI_INDEX), OCI_INDEX, [], candidates, 0);
  if (candidates.size === 0) throw new Problem('image.manifest_invalid', { detail: `${OCI_INDEX} names no image` });
  const fitting = [...candidates.values()].filter(
    ({ descriptor: { platform: own } }) =>
      !own || (own.os === platform.os && own.architecture === platform.architecture),
  );
  const [candidate] = fitting;
  if (candidate === undefined) {
    throw new Problem('image.wrong_platform', {
      detail: `The archive holds no image for ${platform.os}/${platform.architecture}`,
    });
  }
  if (fitting.length > 1) {
    throw new Problem('image.multiple_images', {
      detail: `The archive holds ${fitting.length} images; save one at a time`,
    });
  }
  const { descriptor, names } = candidate;
  const bytes = await readBlob(archive, descriptor, 'image manifest');
  return partsOf(archive, parseDocument(bytes, imageManifest, 'image manifest'), names);
}

async function collect(
  archive: Archive,
  bytes: Buffer,
  label: string,
  inherited: readonly string[],
  found: Map<string, Candidate>,
  depth: number,
): Promise<void> {
  if (depth > MAX_DEPTH) throw new Problem('image.manifest_invalid', { detail: 'The index is nested too deeply' });
  const { manifests } = parseDocument(bytes, imageIndex, label);
  if (manifests.length > MAX_DESCRIPTORS) {
    throw new Problem('image.manifest_invalid', { detail: `${label} names more than ${MAX_DESCRIPTORS} manifests` });
  }
  for (const descriptor of manifests) {
    if (isAttestation(descriptor)) continue;
    const names = [...inherited, ...namesOf(descriptor)];
    const kind = descriptorKind(descriptor);
    if (kind === 'index') {
      const nested = await readBlob(archive, descriptor, 'image index');
      await collect(archive, nested, 'image index', names, found, depth + 1);
      continue;
    }
    if (kind === 'other') {
      throw new Problem('image.manifest_invalid', {
        detail: `${label}: ${JSON.stringify(descriptor.mediaType.slice(0, 200))} is not an image`,
      });
    }
    const known = found.get(descriptor.digest);
    found.set(descriptor.digest, { descriptor, names: [...(known?.names ?? []), ...names] });
  }
}

function partsOf(archive: Archive, manifest: ImageManifest, names: readonly string[]): ImageParts {
  const config = blob(archive, manifest.config);
  if (config === undefined) {
    throw new Problem('image.manifest_invalid', {
      detail: `The configuration ${manifest.config.digest} is not in the archive`,
    });
  }
  return {
    config,
    configDigest: manifest.config.digest,
    names,
    layers: manifest.layers.map((layer) => {
      const extent = blob(archive, layer);
      if (extent === undefined) {
        throw new Problem('image.layer_missing', { detail: `The layer ${layer.digest} is not in the archive` });
      }
      return { label: `layer ${layer.digest}`, extent, digest: layer.digest, digestOf: 'blob' };
    }),
  };
}

/** Where the blob of a descriptor lies; undefined where the archive lacks it. */
function blob({ index }: Archive, { digest, size }: Descriptor): Extent | undefined {
  const extent = index.get(`blobs/sha256/${digest.slice('sha256:'.length)}`);
  if (extent !== undefined && extent.size !== size) {
    throw new Problem('image.size_mismatch', {
      detail: `${digest} has ${extent.size} bytes, but its descriptor says ${size}`,
    });
  }
  return extent;
}

async function readBlob(archive: Archive, descriptor: Descriptor, label: string): Promise<Buffer> {
  const extent = blob(archive, descriptor);
  if (extent === undefined) {
    throw new Problem('image.manifest_invalid', { detail: `The ${label} ${descriptor.digest} is not in the archive` });
  }
  const bytes = await readDocument(archive, extent, label);
  if (sha256(bytes) !== descriptor.digest) {
    throw new Problem('image.digest_mismatch', { detail: `The ${label} is not what ${descriptor.digest} names` });
  }
  return bytes;
}
