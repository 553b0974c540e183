import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { pack } from 'tar-stream';
import type { Runtime } from '../runtime/runtime.ts';
import { PROGRAM_SOURCE } from './program.ts';

const run = promisify(execFile);

export interface TestImage {
  readonly reference: string;
  readonly digest: string;
  archive(): Readable;
  remove(): Promise<void>;
}

/** Node's own binary, the libraries that it loads, and the test program: an image without any registry. */
export async function buildTestImage(): Promise<TestImage> {
  const directory = await mkdtemp(join(tmpdir(), 'skyrun-test-image-'));
  const layer = await packLayer();
  const layerFile = join(directory, 'layer.tar');
  await writeFile(layerFile, layer);
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: {
        Entrypoint: ['/usr/bin/node', '/app/main.cjs'],
        Env: ['PATH=/usr/bin', 'FROM_IMAGE=yes'],
        User: '1234',
        // Its own digest, so that runs at the same time do not remove each other's.
        Labels: { run: randomUUID() },
      },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    }),
  );
  const digest = `sha256:${sha256(config)}`;
  const reference = `skyrun.local/orchestrator-test/app:${digest.slice(7, 31)}`;
  return {
    reference,
    digest,
    archive() {
      const tar = pack();
      const fill = async () => {
        tar.entry({ name: 'config.json' }, config);
        const { size } = await stat(layerFile);
        await new Promise<void>((resolve, reject) => {
          const entry = tar.entry({ name: 'layer.tar', size }, (error) => (error ? reject(error) : resolve()));
          createReadStream(layerFile).pipe(entry);
        });
        const manifest = [{ Config: 'config.json', RepoTags: [reference], Layers: ['layer.tar'] }];
        tar.entry({ name: 'manifest.json' }, JSON.stringify(manifest));
        tar.finalize();
      };
      fill().catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
      return Readable.from(tar);
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Builds it and loads it into an engine; answers what takes both away again. */
export async function loadTestImage(runtime: Runtime): Promise<TestImage> {
  const image = await buildTestImage();
  await runtime.images.import(image.archive(), image.reference);
  return {
    ...image,
    async remove() {
      await runtime.images.remove(image.reference);
      await image.remove();
    },
  };
}

async function packLayer(): Promise<Buffer> {
  const tar = pack();
  const collected = collect(tar);
  const time = { mtime: new Date(0) };
  const { stdout } = await run('ldd', [process.execPath]);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].flatMap((match) => match[1] ?? []);
  tar.entry({ name: 'usr/bin/node', mode: 0o755, ...time }, await readFile(process.execPath));
  for (const library of new Set(libraries)) {
    tar.entry({ name: library.slice(1), mode: 0o755, ...time }, await readFile(library));
  }
  tar.entry({ name: 'app/main.cjs', mode: 0o644, ...time }, PROGRAM_SOURCE);
  tar.entry({ name: 'tmp', type: 'directory', mode: 0o1777, ...time });
  tar.finalize();
  return collected;
}

async function collect(source: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
