import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { engineReference, type Image, OPERATIONS, Problem } from '@skyrun/contracts';
import { temporaryDirectory, testDatabase, until } from '@skyrun/testing';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startTestRegistry, type TestRegistry } from '../registry.fixture.ts';
import type { Tables } from '../store/tables.ts';
import {
  digestOf,
  dockerEntries,
  imageOf,
  layerWith,
  ociEntries,
  type TestEntry,
  type TestImage,
  tarOf,
} from './archive/image.fixture.ts';

let registry: TestRegistry;
beforeAll(async () => {
  registry = await startTestRegistry(
    { database: await testDatabase('registry'), dataDirectory: temporaryDirectory('registry') },
    { SKYRUN_IMAGE_PLATFORM: 'linux/amd64', SKYRUN_UPLOAD_IDLE_SECONDS: '3', SKYRUN_UPLOAD_CONCURRENCY: '5' },
  );
});
beforeEach(() => {
  registry.orchestrator.imported.length = 0;
  registry.orchestrator.removed.length = 0;
  registry.orchestrator.failImports = null;
  registry.orchestrator.importDelayMs = 0;
});
afterAll(async () => {
  await registry?.close();
});

const image = async (contents: string): Promise<TestImage> =>
  imageOf([await layerWith(contents), await layerWith(`${contents} too`)], { os: 'linux', architecture: 'amd64' });

async function* inChunks(archive: Buffer) {
  for (let at = 0; at < archive.length; at += 1000) yield archive.subarray(at, at + 1000);
}

async function upload(archive: Buffer, query: { name?: string; tag?: string } = {}, project = 'demo') {
  const call = { params: { project }, query, stream: inChunks(archive) };
  return await registry.client.send(OPERATIONS.uploadImage, call);
}

const rows = async (project: string) =>
  await registry.db.kysely<Tables>().selectFrom('images').selectAll().where('project', '=', project).execute();
const intents = async () => await registry.db.kysely<Tables>().selectFrom('image_intents').selectAll().execute();

/** By `node:http`, because `fetch` keeps a copy of what it streams. */
async function postArchive(project: string, archive: AsyncIterable<Buffer>): Promise<unknown> {
  const call = httpRequest(`${registry.url}/api/v1/projects/${project}/images`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-tar', authorization: 'Bearer tester' },
  });
  const answered = once(call, 'response');
  await pipeline(archive, call);
  const [answer] = await answered;
  return await json(answer);
}

/** `docker save` before 25 links to a layer that it has written already. */
const linked = async (own: TestImage): Promise<TestEntry[]> => {
  const [first] = own.layers;
  const twice = imageOf([first ?? Buffer.alloc(0), first ?? Buffer.alloc(0)], { os: 'linux', architecture: 'amd64' });
  return dockerEntries(twice).map((entry) =>
    entry.name === 'layer1/layer.tar' ? { name: entry.name, type: 'symlink', linkname: '../layer0/layer.tar' } : entry,
  );
};

it.each<[string, (own: TestImage) => Promise<Buffer>]>([
  ['docker save', async (own) => await tarOf(dockerEntries(own))],
  ['docker save, gzipped', async (own) => gzipSync(await tarOf(dockerEntries(own)))],
  ['docker save, zstd', async (own) => zstdCompressSync(await tarOf(dockerEntries(own)))],
  ['docker save with gzipped layers', async (own) => await tarOf(dockerEntries(own, { blob: gzipSync }))],
  ['docker save with zstd layers', async (own) => await tarOf(dockerEntries(own, { blob: zstdCompressSync }))],
  ['docker save with a linked layer', async (own) => await tarOf(await linked(own))],
  [
    'docker save with ./ before each path',
    async (own) =>
      await tarOf([
        { name: './', type: 'directory' },
        ...dockerEntries(own).map((entry) => ({ ...entry, name: `./${entry.name}` })),
      ]),
  ],
  ['an OCI layout', async (own) => await tarOf(ociEntries(own, { name: 'docker.io/library/web:v1' }))],
  ['an OCI layout with gzipped layers', async (own) => await tarOf(ociEntries(own, { blob: gzipSync }))],
  [
    'an OCI layout of several platforms',
    async (own) => await tarOf(ociEntries(own, { nested: true, platform: { os: 'linux', architecture: 'amd64' } })),
  ],
  ['docker save since 25', async (own) => await tarOf(ociEntries(own, { hybrid: true, name: 'web:v1' }))],
])('takes %s', async (kind, build) => {
  const own = await image(kind);
  const answer = await upload(await build(own), { name: 'kinds', tag: 'v1' });
  expect(answer.status).toBe(201);
  expect(answer.body).toMatchObject({ name: 'kinds', tag: 'v1', layers: 2, project: 'demo' });
  const digest = answer.body?.digest ?? '';
  const reference = engineReference({ project: 'demo', name: 'kinds', digest });
  expect(registry.orchestrator.imported).toMatchObject([{ reference, digest }]);
  expect(await registry.spooled()).toEqual([]);
});

it.each<[string, readonly string[], Partial<Image>]>([
  ['the archive’s own', ['web:v1'], { name: 'web', tag: 'v1' }],
  ['without a registry', ['ghcr.io/acme/web:v2'], { name: 'acme/web', tag: 'v2' }],
  ['without Docker Hub’s library', ['docker.io/library/nginx:1'], { name: 'nginx', tag: '1' }],
  ['of a re-upload', ['skyrun.local/demo/web:0123'], { name: 'web', tag: '0123' }],
  ['latest without a tag', ['web'], { name: 'web', tag: 'latest' }],
])('names an image: %s', async (_, repoTags, expected) => {
  const answer = await upload(await tarOf(dockerEntries(await image(repoTags.join()), { repoTags })));
  expect(answer.body).toMatchObject(expected);
});

it('answers the known image when it is uploaded again, and moves the tag', async () => {
  const archive = await tarOf(dockerEntries(await image('again')));
  const first = await upload(archive, { name: 'again' });
  const second = await upload(archive, { name: 'again', tag: 'stable' });
  expect([first.status, second.status]).toEqual([201, 200]);
  expect(second.body).toEqual({ ...first.body, tag: 'stable' });
  const other = await upload(await tarOf(dockerEntries(await image('other'))), { name: 'again', tag: 'stable' });
  expect(other.body?.id).not.toBe(first.body?.id);
  const tags = await registry.db
    .kysely<Tables>()
    .selectFrom('image_tags')
    .selectAll()
    .where('name', '=', 'again')
    .execute();
  expect(tags.map(({ tag, image_id }) => [tag, image_id]).sort()).toEqual(
    [
      ['stable', other.body?.id],
      ['v1', first.body?.id],
    ].sort(),
  );
});

it('survives the same upload many times at once', async () => {
  const archive = await tarOf(dockerEntries(await image('many')));
  const answers = await Promise.all([1, 2, 3, 4].map(() => upload(archive, { name: 'many' }, 'crowd')));
  expect(new Set(answers.map(({ body }) => body?.id)).size).toBe(1);
  expect(await rows('crowd')).toHaveLength(1);
  expect(registry.orchestrator.removed).toEqual([]);
  expect(await intents()).toEqual([]);
});

it('reports progress line by line', async () => {
  const archive = await tarOf(dockerEntries(await image('progress')));
  const response = await fetch(`${registry.url}/api/v1/projects/demo/images`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', accept: 'application/x-ndjson' },
    body: archive,
  });
  expect(response.headers.get('content-type')).toBe('application/x-ndjson');
  const lines = (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ phase }) => phase)).toEqual(['receiving', 'validating', 'importing', 'done']);
  expect(lines.at(-1).image).toMatchObject({ name: 'web', tag: 'v1' });
});

it('leaves nothing when the engine refuses', async () => {
  registry.orchestrator.failImports = new Problem('image.import_failed', { detail: 'no space in the engine' });
  const archive = await tarOf(dockerEntries(await image('refused')));
  await expect(upload(archive, {}, 'refused')).rejects.toMatchObject({ code: 'image.import_failed' });
  expect(await rows('refused')).toEqual([]);
  expect(await registry.spooled()).toEqual([]);
  expect(await intents()).toEqual([]);
  expect(registry.orchestrator.removed).toHaveLength(1);
});

it('does not take away an image that is there when it is uploaded again and fails', async () => {
  const archive = await tarOf(dockerEntries(await image('kept')));
  await upload(archive, {}, 'kept');
  registry.orchestrator.failImports = new Problem('image.import_failed');
  await expect(upload(archive, {}, 'kept')).rejects.toMatchObject({ code: 'image.import_failed' });
  expect(await rows('kept')).toHaveLength(1);
  expect(registry.orchestrator.removed).toEqual([]);
});

it.each<['receiving' | 'importing']>([['receiving'], ['importing']])(
  'leaves nothing when the client goes away while %s',
  async (phase) => {
    const own = imageOf([await tarOf([{ name: 'big', contents: Buffer.alloc(8_000_000, phase) }])], {
      os: 'linux',
      architecture: 'amd64',
    });
    const archive = await tarOf(dockerEntries(own));
    registry.orchestrator.importDelayMs = 50;
    const call = httpRequest(`${registry.url}/api/v1/projects/gone/images`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-tar',
        'content-length': archive.length,
        authorization: 'Bearer tester',
      },
    });
    call.on('error', () => undefined);
    const calls = registry.orchestrator.importCalls;
    call.write(phase === 'receiving' ? archive.subarray(0, archive.length - 1000) : archive);
    await until(async () =>
      phase === 'receiving' ? (await registry.spooled()).length === 1 : registry.orchestrator.importCalls > calls,
    );
    call.destroy();
    await until(async () => (await registry.spooled()).length === 0);
    await until(async () => (await intents()).length === 0);
    expect(await rows('gone')).toEqual([]);
    expect(registry.orchestrator.imported).toEqual([]);
  },
);

it('cuts off a client that sends nothing any more, and bounds how many may send at once', async () => {
  const start = async () => {
    const call = httpRequest(`${registry.url}/api/v1/projects/slow/images`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-tar', 'content-length': 10_000 },
    });
    const ended = new Promise<string>((resolve) => {
      call.once('error', () => resolve('cut off'));
      call.once('response', (response) => resolve(String(response.statusCode)));
    });
    call.write(Buffer.alloc(100));
    return ended;
  };
  const ends = await Promise.all(Array.from({ length: 6 }, () => start()));
  expect(ends.sort()).toEqual(['503', '503', ...Array.from({ length: 4 }, () => 'cut off')]);
  await until(async () => (await registry.spooled()).length === 0);
  await upload(await tarOf(dockerEntries(await image('after the slow ones'))));
});

it('cuts off a client that trickles: it would hold its place for days', async () => {
  const call = httpRequest(`${registry.url}/api/v1/projects/slow/images`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-tar', 'content-length': 10_000_000 },
  });
  const ended = new Promise<string>((resolve) => {
    call.once('error', () => resolve('cut off'));
    call.once('response', (response) => resolve(String(response.statusCode)));
  });
  const archive = await tarOf(dockerEntries(await image('x'.repeat(100_000))));
  let at = 0;
  const trickle = setInterval(() => {
    call.write(archive.subarray(at, at + 100));
    at += 100;
  }, 100);
  expect(await ended).toBe('cut off');
  clearInterval(trickle);
});

it('refuses by the announced length before anything is sent', async () => {
  const call = httpRequest(`${registry.url}/api/v1/projects/demo/images`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-tar', 'content-length': 1024 ** 4 },
  });
  const answered = once(call, 'response');
  call.flushHeaders();
  const [answer] = await answered;
  expect(answer.statusCode).toBe(413);
  call.on('error', () => undefined).destroy();
});

it('removes at its start what a crash left behind, on the disk and in the engine', async () => {
  await mkdir(join(registry.dataDirectory, 'uploads'), { recursive: true });
  await writeFile(join(registry.dataDirectory, 'uploads', 'crashed.upload'), 'half');
  const reference = 'skyrun.local/demo/crashed:0123';
  await registry.db
    .kysely<Tables>()
    .insertInto('image_intents')
    .values({ id: 'crashed', reference, kind: 'import', lease_until: new Date(0) })
    .execute();
  await registry.restart();
  expect(await registry.spooled()).toEqual([]);
  await until(async () => (await intents()).length === 0);
  expect(registry.orchestrator.removed).toEqual([reference]);
});

it('deletes an image from the engine, but not one that a service uses', async () => {
  const { body: used } = await upload(await tarOf(dockerEntries(await image('used'))), { name: 'used' });
  const { body: free } = await upload(await tarOf(dockerEntries(await image('free'))), { name: 'free' });
  const params = { project: 'demo', service: 'user' };
  await registry.client.call(OPERATIONS.createService, {
    params,
    body: { name: 'user', spec: { template: { image: 'used:v1' } } },
  });
  const remove = (imageId = '') =>
    registry.client.call(OPERATIONS.deleteImage, { params: { project: 'demo', imageId } });
  await expect(remove(used?.id)).rejects.toMatchObject({ code: 'resource.in_use' });
  await remove(free?.id);
  expect(registry.orchestrator.removed).toEqual([
    engineReference({ project: 'demo', name: 'free', digest: free?.digest ?? '' }),
  ]);
  await expect(remove(free?.id)).rejects.toMatchObject({ code: 'resource.not_found' });
  await registry.client.call(OPERATIONS.deleteService, { params });
  await remove(used?.id);
  expect(registry.orchestrator.removed).toHaveLength(2);
});

it('pages through images, newest first, and refuses a cursor of another list', async () => {
  for (const name of ['one', 'two', 'three']) {
    await upload(await tarOf(dockerEntries(await image(name))), { name }, 'pages');
  }
  const list = (query = {}) => registry.client.call(OPERATIONS.listImages, { params: { project: 'pages' }, query });
  const first = await list({ limit: 2 });
  expect(first.items.map(({ name }) => name)).toEqual(['three', 'two']);
  const second = await list({ limit: 2, cursor: first.nextCursor });
  expect(second.items.map(({ name }) => name)).toEqual(['one']);
  expect(second.nextCursor).toBeNull();
  await expect(list({ cursor: 'bm9uc2Vuc2U' })).rejects.toMatchObject({ code: 'request.invalid' });
});

it('takes an archive of 1 GiB in flat memory', async () => {
  const GIB = 1024 ** 3;
  const MIB = 1024 ** 2;
  const block = Buffer.alloc(MIB);
  for (let at = 0; at < block.length; at += 32) createHash('sha256').update(String(at)).digest().copy(block, at);
  const { encodeFileHeader } = await import('./archive/tar-header.ts');
  const layerHeader = encodeFileHeader('app/big', GIB);
  const end = Buffer.alloc(1024);
  const hash = createHash('sha256').update(layerHeader);
  for (let written = 0; written < GIB; written += MIB) hash.update(block);
  const diffId = `sha256:${hash.update(end).digest('hex')}`;
  const { config } = imageOf([], {
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [],
  });
  const rest = await tarOf([
    { name: 'config.json', contents: config },
    {
      name: 'manifest.json',
      contents: JSON.stringify([{ Config: 'config.json', RepoTags: ['big:1'], Layers: ['l/layer.tar'] }]),
    },
  ]);
  let peak = 0;
  async function* archive() {
    yield encodeFileHeader('l/layer.tar', GIB + 512 + 1024);
    yield layerHeader;
    for (let written = 0; written < GIB; written += MIB) {
      yield block;
      peak = Math.max(peak, process.memoryUsage.rss());
    }
    yield end;
    yield rest;
  }
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 50);
  const before = process.memoryUsage.rss();
  const uploaded = await postArchive('big', archive());
  clearInterval(watch);
  expect(uploaded).toMatchObject({ digest: digestOf(config), sizeBytes: GIB + 512 + 1024 });
  expect(registry.orchestrator.imported[0]?.bytes).toBeGreaterThan(GIB);
  // Client, registry and engine share this process; none of them may hold more than a few chunks.
  expect((peak - before) / MIB).toBeLessThan(250);
  expect(await registry.spooled()).toEqual([]);
}, 180_000);
