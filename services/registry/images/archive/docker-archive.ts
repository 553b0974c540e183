import { Problem } from '@skyrun/contracts';
import type { Extent } from './archive-index.ts';
import { type Archive, parseDocument, readDocument } from './archive-reader.ts';
import { quoted, safePath } from './entry-path.ts';
import { dockerManifest } from './manifest.ts';
import type { ImageParts, LayerPart } from './verified-image.ts';

export const DOCKER_MANIFEST = 'manifest.json';

/**
 * Finds the one image of a `docker save` archive.
 * @throws Problem `image.manifest_invalid`, `image.multiple_images`, `image.layer_missing`
 */
export async function findDockerImage(archive: Archive, manifest: Extent): Promise<ImageParts> {
  const images = parseDocument(await readDocument(archive, manifest, DOCKER_MANIFEST), dockerManifest, DOCKER_MANIFEST);
  const [image] = images;
  if (image === undefined) throw new Problem('image.manifest_invalid', { detail: `${DOCKER_MANIFEST} names no image` });
  if (images.length > 1) {
    throw new Problem('image.multiple_images', {
      detail: `The archive holds ${images.length} images; save one at a time`,
    });
  }
  const configPath = safePath(image.Config, { label: DOCKER_MANIFEST, allowBackslash: false });
  const config = archive.index.get(configPath);
  if (config === undefined) {
    throw new Problem('image.manifest_invalid', {
      detail: `The configuration ${quoted(configPath)} is not in the archive`,
    });
  }
  return {
    config,
    configDigest: digestInName(configPath),
    layers: (image.Layers ?? []).map((layer) => layerPart(archive, layer)),
    names: image.RepoTags ?? [],
  };
}

function layerPart({ index }: Archive, layer: string): LayerPart {
  const path = safePath(layer, { label: DOCKER_MANIFEST, allowBackslash: false });
  const extent = index.get(path);
  if (extent === undefined) {
    throw new Problem('image.layer_missing', { detail: `The layer ${quoted(path)} is not in the archive` });
  }
  // Tools differ in which of the two digests `<hex>.tar` and `<hex>.tar.gz` carry; a blob's name leaves no doubt.
  const digestOf = path.startsWith('blobs/') ? 'blob' : 'blob or contents';
  return { label: `layer ${path.slice(0, 200)}`, extent, digest: digestInName(path), digestOf };
}

/**
 * Tools that name files by their contents write `<hex>.json`, `<hex>.tar`, `<hex>.tar.gz`, `sha256:<hex>` or
 * `blobs/sha256/<hex>`. In `<hex>/layer.tar`, of older `docker save`, the hex is not a digest.
 */
export function digestInName(path: string): string | null {
  const match = /^(?:blobs\/sha256\/|sha256:)?([0-9a-f]{64})(?:\.json|\.tar|\.tar\.gz)?$/.exec(path);
  return match?.[1] === undefined ? null : `sha256:${match[1]}`;
}
