import { digest } from '@skyrun/contracts';
import { z } from 'zod';

/** `manifest.json` of `docker save`. */
export const dockerManifest = z.array(
  z.looseObject({
    Config: z.string().min(1),
    RepoTags: z.array(z.string()).nullish(),
    Layers: z.array(z.string().min(1)).nullish(),
  }),
);

const annotations = z.record(z.string(), z.string()).nullish();

const platform = z.looseObject({ os: z.string(), architecture: z.string() }).nullish();

const descriptor = z.looseObject({
  mediaType: z.string(),
  digest,
  size: z.int().min(0),
  annotations,
  platform,
});
export type Descriptor = z.infer<typeof descriptor>;

/** `index.json` of an OCI layout, an OCI image index or a Docker manifest list. */
export const imageIndex = z.looseObject({ schemaVersion: z.literal(2), manifests: z.array(descriptor) });

export const imageManifest = z.looseObject({
  schemaVersion: z.literal(2),
  config: descriptor,
  layers: z.array(descriptor),
});
export type ImageManifest = z.infer<typeof imageManifest>;

const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

export function descriptorKind({ mediaType }: Descriptor): 'index' | 'manifest' | 'other' {
  if (INDEX_TYPES.includes(mediaType)) return 'index';
  return MANIFEST_TYPES.includes(mediaType) ? 'manifest' : 'other';
}

/** Build provenance that BuildKit puts beside an image; not an image. */
export function isAttestation({ annotations: notes, platform: where }: Descriptor): boolean {
  return notes?.['vnd.docker.reference.type'] === 'attestation-manifest' || where?.os === 'unknown';
}

/** The names that a descriptor of an OCI layout gives its image. */
export function namesOf({ annotations: notes }: Descriptor): string[] {
  return [notes?.['io.containerd.image.name'], notes?.['org.opencontainers.image.ref.name']].filter(
    (name): name is string => name !== undefined && name !== '',
  );
}
