import { createHash } from 'node:crypto';
import { type Header, pack } from 'tar-stream';

/** Builds image archives for tests, good and bad. */
export interface TestEntry extends Partial<Header> {
  readonly name: string;
  readonly contents?: Buffer | string;
}

export async function tarOf(entries: readonly TestEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { contents, ...headers } of entries) {
    tar.entry({ mtime: new Date(0), ...headers }, contents ?? '');
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

export function hexOf(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function digestOf(bytes: Buffer | string): string {
  return `sha256:${hexOf(bytes)}`;
}

export interface TestImage {
  readonly layers: readonly Buffer[];
  readonly config: string;
}

/** An image of some layers (uncompressed tars); `change` edits its configuration. */
export function imageOf(layers: readonly Buffer[], change: Record<string, unknown> = {}): TestImage {
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { User: '1000', ExposedPorts: { '8080/tcp': {}, '53/udp': {} }, Cmd: ['/app'] },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
    history: [...layers.map(() => ({ created_by: 'COPY' })), { created_by: 'ENV', empty_layer: true }],
    ...change,
  };
  return { layers, config: JSON.stringify(config) };
}

export async function layerWith(contents: string): Promise<Buffer> {
  return await tarOf([
    { name: 'app/', type: 'directory' },
    { name: 'app/file', contents },
    { name: 'app/.wh.old', contents: '' },
    { name: 'app/link', type: 'symlink', linkname: '../app/file' },
  ]);
}

export interface DockerOptions {
  readonly repoTags?: readonly string[];
  /** What lies in the archive for a layer, where it is not the layer itself. */
  readonly blob?: (layer: Buffer) => Buffer;
  readonly more?: readonly TestEntry[];
}

/** The entries of `docker save`, as Docker before 25 writes them. */
export function dockerEntries(image: TestImage, options: DockerOptions = {}): TestEntry[] {
  const { repoTags = ['web:v1'], blob = (layer) => layer, more = [] } = options;
  const configName = `${hexOf(image.config)}.json`;
  const layerNames = image.layers.map((_, index) => `layer${index}/layer.tar`);
  const manifest = [{ Config: configName, RepoTags: repoTags, Layers: layerNames }];
  return [
    ...image.layers.map((layer, index) => ({ name: layerNames[index] ?? '', contents: blob(layer) })),
    { name: configName, contents: image.config },
    { name: 'manifest.json', contents: JSON.stringify(manifest) },
    ...more,
  ];
}

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

export interface OciOptions {
  readonly name?: string;
  readonly nested?: boolean;
  readonly blob?: (layer: Buffer) => Buffer;
  /** Also writes `manifest.json`, as Docker from 25 on does. */
  readonly hybrid?: boolean;
  readonly platform?: { os: string; architecture: string };
}

const descriptorOf = (mediaType: string, bytes: Buffer | string) => ({
  mediaType,
  digest: digestOf(bytes),
  size: Buffer.byteLength(bytes),
});
const blobEntry = (bytes: Buffer | string): TestEntry => ({ name: `blobs/sha256/${hexOf(bytes)}`, contents: bytes });

/** The entries of an OCI layout. */
export function ociEntries(image: TestImage, options: OciOptions = {}): TestEntry[] {
  const { name, nested = false, blob = (layer) => layer, hybrid = false, platform } = options;
  const blobs = image.layers.map(blob);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: descriptorOf(CONFIG, image.config),
    layers: blobs.map((layer) => descriptorOf(LAYER, layer)),
  });
  const annotations = name === undefined ? {} : { 'io.containerd.image.name': name };
  const leaf = { ...descriptorOf(MANIFEST, manifest), ...(platform ? { platform } : {}) };
  const attestation = {
    ...descriptorOf(MANIFEST, 'not here'),
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    platform: { os: 'unknown', architecture: 'unknown' },
  };
  const inner = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [leaf, attestation] });
  const top = nested ? descriptorOf(INDEX, inner) : leaf;
  const dockerManifest = [
    {
      Config: `blobs/sha256/${hexOf(image.config)}`,
      RepoTags: name === undefined ? [] : [name],
      Layers: blobs.map((layer) => `blobs/sha256/${hexOf(layer)}`),
    },
  ];
  const unique = new Map(blobs.map((layer) => [hexOf(layer), layer]));
  return [
    { name: 'blobs/', type: 'directory' },
    { name: 'blobs/sha256/', type: 'directory' },
    ...[...unique.values()].map(blobEntry),
    blobEntry(image.config),
    blobEntry(manifest),
    ...(nested ? [blobEntry(inner)] : []),
    { name: 'index.json', contents: JSON.stringify({ schemaVersion: 2, manifests: [{ ...top, annotations }] }) },
    { name: 'oci-layout', contents: '{"imageLayoutVersion":"1.0.0"}' },
    ...(hybrid ? [{ name: 'manifest.json', contents: JSON.stringify(dockerManifest) }] : []),
  ];
}
