import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import { APP_USER, addFile, appLayer, baseLayer, type Layer, type Program, programLayer } from './layer.ts';
import { sampleScript } from './script.ts';

export interface SampleArchiveOptions {
  /** The archive's file; written whole or not at all. */
  readonly destination: string;
  /** What `docker save` writes, or an OCI image layout. */
  readonly format: 'docker' | 'oci';
  /** Keeps the layers between builds; default: `layers` beside the destination. */
  readonly cacheDir?: string;
  readonly name?: string;
  readonly tag?: string;
  /** Another app than the sample: one CommonJS script. */
  readonly script?: string;
  /** Programs of this machine that the app runs, with the libraries that they load. */
  readonly programs?: readonly Program[];
}

export interface SampleArchive {
  readonly path: string;
  readonly bytes: number;
  /** Digest of the image configuration: the image's id in Docker. */
  readonly configDigest: string;
}

const OCI = 'application/vnd.oci.image';

/**
 * Compose the image of the sample app, or of another, from this machine's Node and write it as an archive; needs no
 * registry and no engine.
 * @throws Error when `ldd` is missing or the disk is full
 */
export async function buildSampleArchive(options: SampleArchiveOptions): Promise<SampleArchive> {
  const cacheDir = options.cacheDir ?? join(dirname(options.destination), 'layers');
  const layers = [
    await baseLayer(cacheDir, process.execPath),
    ...(options.programs === undefined ? [] : [await programLayer(cacheDir, options.programs)]),
    await appLayer(cacheDir, options.script ?? sampleScript()),
  ];
  const config = Buffer.from(JSON.stringify(imageConfig(layers)));
  const reference = `${options.name ?? 'sample'}:${options.tag ?? 'latest'}`;
  mkdirSync(dirname(options.destination), { recursive: true });
  const partial = `${options.destination}.${process.pid}.partial`;
  const tar = pack();
  const fill = options.format === 'docker' ? fillDocker : fillOci;
  await Promise.all([
    pipeline(tar, createWriteStream(partial)),
    fill(tar, layers, config, reference).then(() => tar.finalize()),
  ]);
  renameSync(partial, options.destination);
  return { path: options.destination, bytes: statSync(options.destination).size, configDigest: digestOf(config) };
}

function imageConfig(layers: readonly Layer[]): object {
  return {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: {
      User: APP_USER,
      Env: ['PATH=/usr/local/bin', 'NODE_ENV=production'],
      // One thread of garbage collection and small pages of heap: the app is tiny, its containers are many.
      Entrypoint: ['/usr/local/bin/node', '--max-semi-space-size=4', '/app/main.cjs'],
      WorkingDir: '/app',
      ExposedPorts: { '8080/tcp': {} },
      StopSignal: 'SIGTERM',
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
    history: layers.map((_layer, index) => ({
      created: '1970-01-01T00:00:00Z',
      created_by: index === 0 ? 'node' : 'app',
    })),
  };
}

async function fillDocker(tar: Pack, layers: readonly Layer[], config: Buffer, reference: string): Promise<void> {
  const configName = `${hex(digestOf(config))}.json`;
  const layerName = (layer: Layer): string => `${hex(layer.digest)}/layer.tar`;
  for (const layer of layers) await addFile(tar, layerName(layer), layer.path);
  tar.entry({ name: configName, mtime: new Date(0) }, config);
  const manifest = [{ Config: configName, RepoTags: [reference], Layers: layers.map(layerName) }];
  tar.entry({ name: 'manifest.json', mtime: new Date(0) }, JSON.stringify(manifest));
}

async function fillOci(tar: Pack, layers: readonly Layer[], config: Buffer, reference: string): Promise<void> {
  const blob = (digest: string): string => `blobs/sha256/${hex(digest)}`;
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: `${OCI}.manifest.v1+json`,
      config: { mediaType: `${OCI}.config.v1+json`, digest: digestOf(config), size: config.length },
      layers: layers.map((layer) => ({ mediaType: `${OCI}.layer.v1.tar`, digest: layer.digest, size: layer.bytes })),
    }),
  );
  const index = {
    schemaVersion: 2,
    mediaType: `${OCI}.index.v1+json`,
    manifests: [
      {
        mediaType: `${OCI}.manifest.v1+json`,
        digest: digestOf(manifest),
        size: manifest.length,
        annotations: { 'org.opencontainers.image.ref.name': reference },
        platform: { architecture: process.arch === 'x64' ? 'amd64' : process.arch, os: 'linux' },
      },
    ],
  };
  tar.entry({ name: 'oci-layout', mtime: new Date(0) }, JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  tar.entry({ name: 'index.json', mtime: new Date(0) }, JSON.stringify(index));
  tar.entry({ name: blob(digestOf(manifest)), mtime: new Date(0) }, manifest);
  tar.entry({ name: blob(digestOf(config)), mtime: new Date(0) }, config);
  for (const layer of layers) await addFile(tar, blob(layer.digest), layer.path);
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const hex = (digest: string): string => digest.slice('sha256:'.length);

export type { Program } from './layer.ts';
export { commonJs } from './script.ts';
