import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { engineReference } from '@skyrun/contracts';
import { dockerSocket, temporaryDirectory } from '@skyrun/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dockerEntries, imageOf, layerWith, ociEntries, tarOf } from './image.fixture.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { normalisedArchive } from './normalised-archive.ts';
import { receive } from './receive.ts';
import { createSpool, type Spool, type SpoolFile } from './spool.ts';
import type { VerifiedImage } from './verified-image.ts';
import { verifyArchive } from './verify-archive.ts';

const PROJECT = `itest-${randomBytes(4).toString('hex')}`;
const PLATFORM = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
const limits = { ...DEFAULT_LIMITS, minFreeBytes: 1 };
const directory = temporaryDirectory('spool');
const loaded = new Set<string>();
let socketPath: string;
let spool: Spool;

beforeAll(async () => {
  socketPath = await dockerSocket();
  spool = createSpool(directory.path);
  await spool.prepare();
});
afterAll(async () => {
  for (const reference of loaded) await docker('DELETE', `/images/${reference}`);
  directory.remove();
});

async function docker(method: string, path: string, body: AsyncIterable<Buffer> = none()) {
  const call = request({ socketPath, method, path: `/v1.41${path}`, headers: { 'content-type': 'application/x-tar' } });
  const answered = new Promise<{ status: number; body: Buffer }>((resolve, reject) => {
    call.once('error', reject);
    call.once('response', (response) => {
      buffer(response).then((bytes) => resolve({ status: response.statusCode ?? 0, body: bytes }), reject);
    });
  });
  await pipeline(body, call);
  return await answered;
}

async function* none(): AsyncGenerator<Buffer> {
  yield Buffer.alloc(0);
}

async function* only(bytes: Buffer) {
  yield bytes;
}

async function verified(archive: Buffer): Promise<{ image: VerifiedImage; file: SpoolFile }> {
  const file = await spool.create();
  const { signal } = new AbortController();
  const { archiveBytes } = await receive({
    body: only(archive),
    file,
    spool,
    limits,
    signal,
    onBytes: () => undefined,
  });
  const checks = { checkNames: () => undefined, onProgress: () => undefined };
  return { image: await verifyArchive({ file, archiveBytes, limits, platform: PLATFORM, signal, ...checks }), file };
}

it.each(['plain', 'gzip', 'zstd', 'an OCI layout with the same layer twice'])(
  'gives the engine what it can load: %s',
  async (kind) => {
    const layer = await layerWith(`${PROJECT} ${kind}`);
    const twice = kind.startsWith('an OCI');
    const own = imageOf(twice ? [layer, layer] : [layer, await layerWith('second')]);
    const blob = { plain: (bytes: Buffer) => bytes, gzip: gzipSync, zstd: zstdCompressSync }[kind] ?? gzipSync;
    const { image, file } = await verified(
      await tarOf(twice ? ociEntries(own, { blob }) : dockerEntries(own, { blob })),
    );
    const reference = engineReference({ project: PROJECT, name: 'web', digest: image.digest });
    loaded.add(reference);
    const archive = normalisedArchive(image, reference, file);
    let sent = 0;
    async function* counted() {
      for await (const chunk of archive.stream()) {
        sent += chunk.length;
        yield chunk;
      }
    }
    const answer = await docker('POST', '/images/load?quiet=1', counted());
    expect(answer.body.toString()).not.toContain('"error"');
    expect(answer.status).toBe(200);
    expect(sent).toBe(archive.totalBytes);
    await file.dispose();

    const inspected = JSON.parse((await docker('GET', `/images/${reference}/json`)).body.toString());
    expect(inspected).toMatchObject({
      Id: image.digest,
      RepoTags: [reference],
      RootFS: { Layers: image.config.diffIds },
    });

    const saved = await docker('GET', `/images/${reference}/get`);
    const again = await verified(saved.body);
    expect(again.image).toMatchObject({ digest: image.digest, names: [reference] });
    await again.file.dispose();
  },
);
