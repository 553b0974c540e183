import { Problem } from '@skyrun/contracts';
import { indexArchive } from './archive-index.ts';
import { type Archive, readDocument, sha256 } from './archive-reader.ts';
import { fileSource } from './byte-source.ts';
import { DOCKER_MANIFEST, findDockerImage } from './docker-archive.ts';
import { parseImageConfig } from './image-config.ts';
import type { ArchiveLimits } from './limits.ts';
import { findOciImage, OCI_INDEX, type Platform } from './oci-layout.ts';
import type { SpoolFile } from './spool.ts';
import type { ImageParts, VerifiedImage, VerifiedLayer } from './verified-image.ts';
import { type Budget, verifyLayer } from './verify-layer.ts';

interface Verification {
  readonly file: SpoolFile;
  readonly archiveBytes: number;
  readonly limits: ArchiveLimits;
  /** What the container engine runs. */
  readonly platform: Platform;
  /** Called with what the archive names its image before the layers are read. */
  readonly checkNames: (names: readonly string[]) => void;
  readonly signal: AbortSignal;
  /** Called often, with the bytes of layers read so far and in all. */
  readonly onProgress: (bytes: number, totalBytes: number) => void;
}

/**
 * Verifies everything about a spooled archive that can be known before the engine sees it.
 * @throws Problem `image.*`
 */
export async function verifyArchive(verification: Verification): Promise<VerifiedImage> {
  const { file, archiveBytes, limits, platform, signal, onProgress } = verification;
  const archive: Archive = { file, index: await indexArchive(fileSource(file.handle, archiveBytes), limits) };
  const parts = await findImage(archive, platform);
  verification.checkNames(parts.names);
  if (parts.layers.length > limits.maxLayers) {
    throw new Problem('image.too_many_entries', { detail: `The image has more than ${limits.maxLayers} layers` });
  }
  const configBytes = await readDocument(archive, parts.config, 'image configuration');
  const digest = sha256(configBytes);
  if (parts.configDigest !== null && parts.configDigest !== digest) {
    throw new Problem('image.digest_mismatch', {
      detail: `The image configuration is not what ${parts.configDigest} names`,
    });
  }
  const config = parseImageConfig(configBytes, parts.layers.length);
  if (config.os !== platform.os || config.architecture !== platform.architecture) {
    throw new Problem('image.wrong_platform', {
      detail: `The image is for ${config.os}/${config.architecture}; this installation runs ${platform.os}/${platform.architecture}. Build with --platform ${platform.os}/${platform.architecture}.`,
    });
  }
  const totalBytes = parts.layers.reduce((sum, layer) => sum + layer.extent.size, 0);
  const budget: Budget = { entries: 0, unpackedBytes: 0 };
  const layers: VerifiedLayer[] = [];
  let done = 0;
  for (const [position, layer] of parts.layers.entries()) {
    const diffId = config.diffIds[position];
    if (diffId === undefined) throw new Problem('image.config_invalid');
    const onBytes = (bytes: number) => {
      done += bytes;
      onProgress(done, totalBytes);
    };
    layers.push(await verifyLayer({ file, layer, diffId, limits, budget, signal, onBytes }));
  }
  return { digest, configBytes, config, layers, names: parts.names, sizeBytes: totalBytes };
}

/** An OCI layout says more than `manifest.json`, so it leads where both are there; then both must mean one image. */
async function findImage(archive: Archive, platform: Platform): Promise<ImageParts> {
  const dockerManifest = archive.index.get(DOCKER_MANIFEST);
  const ociIndex = archive.index.get(OCI_INDEX);
  const docker = dockerManifest === undefined ? null : await findDockerImage(archive, dockerManifest);
  const oci = ociIndex === undefined ? null : await findOciImage(archive, ociIndex, platform);
  if (oci === null) {
    if (docker !== null) return docker;
    throw new Problem('image.manifest_invalid', {
      detail: `The archive has neither ${DOCKER_MANIFEST} (docker save) nor ${OCI_INDEX} (OCI layout)`,
    });
  }
  if (docker === null) return oci;
  const same =
    docker.config.offset === oci.config.offset &&
    docker.layers.length === oci.layers.length &&
    docker.layers.every((layer, position) => layer.extent.offset === oci.layers[position]?.extent.offset);
  if (!same) {
    throw new Problem('image.manifest_invalid', {
      detail: `${DOCKER_MANIFEST} and ${OCI_INDEX} name different images`,
    });
  }
  return { ...oci, names: [...new Set([...docker.names, ...oci.names])] };
}
