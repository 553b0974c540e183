import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { OPERATIONS, Problem, type ProblemCode } from '@skyrun/contracts';
import { temporaryDirectory, testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestRegistry, type TestRegistry } from '../registry.fixture.ts';
import type { Tables } from '../store/tables.ts';
import {
  type DockerOptions,
  digestOf,
  dockerEntries,
  hexOf,
  imageOf,
  layerWith,
  ociEntries,
  type TestEntry,
  type TestImage,
  tarOf,
} from './archive/image.fixture.ts';

const MIB = 1024 * 1024;
let registry: TestRegistry;
beforeAll(async () => {
  registry = await startTestRegistry(
    { database: await testDatabase('registry'), dataDirectory: temporaryDirectory('registry') },
    {
      SKYRUN_IMAGE_PLATFORM: 'linux/amd64',
      SKYRUN_UPLOAD_MAX_BYTES: String(4 * MIB),
      SKYRUN_UPLOAD_MAX_ARCHIVE_BYTES: String(64 * MIB),
      SKYRUN_UPLOAD_MAX_ENTRY_BYTES: String(2 * MIB),
      SKYRUN_UPLOAD_MAX_UNPACKED_BYTES: String(64 * MIB),
      SKYRUN_UPLOAD_MAX_ENTRIES: '100',
      SKYRUN_UPLOAD_MAX_LAYER_ENTRIES: '200',
      SKYRUN_UPLOAD_RATIO_FREE_BYTES: String(MIB),
      SKYRUN_UPLOAD_MAX_RATIO: '50',
    },
  );
});
afterAll(async () => {
  await registry?.close();
});

const PLATFORM = { architecture: 'amd64', os: 'linux' };
const image = async (change: Record<string, unknown> = {}, contents = 'hello') =>
  imageOf([await layerWith(contents)], { ...PLATFORM, ...change });
const good = async () => dockerEntries(await image());

/** A good archive with more entries in front. */
const withEntries = async (...entries: TestEntry[]) => await tarOf([...entries, ...(await good())]);
/** A good archive around a layer of these entries. */
const withLayer = async (...entries: TestEntry[]) => {
  const layer = await tarOf([{ name: 'app', contents: 'x' }, ...entries]);
  return await tarOf(dockerEntries(imageOf([layer], PLATFORM)));
};
const docker = async (change: Record<string, unknown>, options: DockerOptions = {}) =>
  await tarOf(dockerEntries(await image(change), options));
const replace = (entries: readonly TestEntry[], pattern: RegExp, contents: Buffer | string) => {
  const changed = entries.map((entry) => (pattern.test(entry.name) ? { ...entry, contents } : entry));
  expect(changed).not.toEqual(entries);
  return changed;
};
const without = (entries: readonly TestEntry[], pattern: RegExp) => {
  const left = entries.filter(({ name }) => !pattern.test(name));
  expect(left.length).toBe(entries.length - 1);
  return left;
};
const sparse = (archive: Buffer) => {
  const changed = Buffer.from(archive);
  changed.write('S', 156, 'latin1');
  changed.write('        ', 148, 'latin1');
  const sum = changed.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return changed;
};
const edit = (text: Buffer | string, from: string, to: string) => {
  expect(String(text)).toContain(from);
  return String(text).replace(from, to);
};

const CASES: readonly (readonly [string, ProblemCode, () => Promise<Buffer>])[] = [
  ['nothing', 'image.not_an_archive', async () => Buffer.alloc(0)],
  ['a text', 'image.not_an_archive', async () => Buffer.from('hello '.repeat(500))],
  ['a short text', 'image.not_an_archive', async () => Buffer.from('hello')],
  ['random bytes', 'image.not_an_archive', async () => randomBytes(5000)],
  ['a gzipped text', 'image.not_an_archive', async () => gzipSync('hello '.repeat(500))],
  ['zeros', 'image.not_an_archive', async () => Buffer.alloc(10_240)],
  [
    'a damaged gzip',
    'image.not_an_archive',
    async () => {
      const archive = gzipSync(Buffer.concat([await tarOf(await good()), randomBytes(4096)]));
      archive.fill(0x55, 200, 400);
      return archive;
    },
  ],
  [
    'a damaged header inside',
    'image.not_an_archive',
    async () => {
      const archive = await tarOf([{ name: 'first', contents: 'x'.repeat(512) }, ...(await good())]);
      archive.write('damage', 1024 + 110, 'latin1');
      return archive;
    },
  ],
  [
    'data after the end',
    'image.not_an_archive',
    async () => Buffer.concat([await tarOf(await good()), Buffer.alloc(512, 1)]),
  ],
  ['a tar that holds no image', 'image.manifest_invalid', () => tarOf([{ name: 'readme', contents: 'hello' }])],
  ['a tar cut inside an entry', 'image.truncated', async () => (await tarOf(await good())).subarray(0, 1800)],
  [
    'a tar cut between two entries',
    'image.truncated',
    async () => (await tarOf([{ name: 'a', contents: 'x' }])).subarray(0, 1024),
  ],
  ['a tar with half an end mark', 'image.truncated', async () => (await tarOf(await good())).subarray(0, -512)],
  ['a gzip that is cut off', 'image.truncated', async () => gzipSync(await tarOf(await good())).subarray(0, -30)],
  [
    'a zstd that is cut off',
    'image.truncated',
    async () => zstdCompressSync(await tarOf(await good())).subarray(0, -30),
  ],
  ['a path that climbs out', 'image.unsafe_path', () => withEntries({ name: '../../etc/cron.d/evil', contents: 'x' })],
  [
    'a path that climbs out later',
    'image.unsafe_path',
    () => withEntries({ name: 'a/b/../../../evil', contents: 'x' }),
  ],
  ['an absolute path', 'image.unsafe_path', () => withEntries({ name: '/etc/passwd', contents: 'x' })],
  ['a backslash', 'image.unsafe_path', () => withEntries({ name: '..\\evil', contents: 'x' })],
  ['a NUL in a path', 'image.unsafe_path', () => withEntries({ name: 'a', pax: { path: 'a\0b' }, contents: 'x' })],
  [
    'a path too long to hold',
    'image.unsafe_path',
    () => withEntries({ name: 'a', pax: { path: `${'a/'.repeat(3000)}b` }, contents: 'x' }),
  ],
  [
    'a symbolic link that climbs out',
    'image.unsafe_link',
    () => withEntries({ name: 'a/link', type: 'symlink', linkname: '../../etc/passwd' }),
  ],
  [
    'an absolute symbolic link',
    'image.unsafe_link',
    () => withEntries({ name: 'link', type: 'symlink', linkname: '/etc/passwd' }),
  ],
  [
    'a symbolic link to nothing',
    'image.unsafe_link',
    () => withEntries({ name: 'link', type: 'symlink', linkname: 'nothing' }),
  ],
  [
    'a symbolic link to a link',
    'image.unsafe_link',
    () =>
      withEntries(
        { name: 'one', type: 'symlink', linkname: 'manifest.json' },
        { name: 'two', type: 'symlink', linkname: 'one' },
      ),
  ],
  [
    'a hard link that climbs out',
    'image.unsafe_link',
    () => withEntries({ name: 'link', type: 'link', linkname: '../etc/passwd' }),
  ],
  [
    'an absolute hard link',
    'image.unsafe_link',
    () => withEntries({ name: 'link', type: 'link', linkname: '/etc/passwd' }),
  ],
  [
    'a character device',
    'image.unsafe_entry',
    () => withEntries({ name: 'null', type: 'character-device', devmajor: 1, devminor: 3 }),
  ],
  [
    'a block device',
    'image.unsafe_entry',
    () => withEntries({ name: 'disk', type: 'block-device', devmajor: 8, devminor: 0 }),
  ],
  ['a pipe', 'image.unsafe_entry', () => withEntries({ name: 'pipe', type: 'fifo' })],
  ['a sparse entry', 'image.unsafe_entry', async () => sparse(await withEntries({ name: 'hole', contents: 'x' }))],
  ['a path twice', 'image.duplicate_entry', async () => tarOf([...(await good()), ...(await good()).slice(-1)])],
  [
    'a path twice, spelled differently',
    'image.duplicate_entry',
    () => withEntries({ name: './manifest.json', contents: '[]' }),
  ],
  [
    'a file that is a directory too',
    'image.duplicate_entry',
    () => withEntries({ name: 'manifest.json/', type: 'directory' }),
  ],
  [
    'too many entries',
    'image.too_many_entries',
    () => withEntries(...Array.from({ length: 120 }, (_, index) => ({ name: `f${index}`, contents: '' }))),
  ],
  [
    'an upload that is too large',
    'image.too_large',
    () => withEntries({ name: 'big', contents: randomBytes(5 * MIB) }),
  ],
  ['an entry that is too large', 'image.too_large', () => withEntries({ name: 'big', contents: randomBytes(3 * MIB) })],
  [
    'a gzip bomb',
    'image.too_large',
    async () => gzipSync(await withEntries({ name: 'big', contents: Buffer.alloc(40 * MIB) })),
  ],
  [
    'a zstd bomb',
    'image.too_large',
    async () => zstdCompressSync(await withEntries({ name: 'big', contents: Buffer.alloc(40 * MIB) })),
  ],
  ['a manifest that is not JSON', 'image.manifest_invalid', async () => tarOf(replace(await good(), /manifest/, '{'))],
  [
    'a manifest of another shape',
    'image.manifest_invalid',
    async () => tarOf(replace(await good(), /manifest/, '{"a":1}')),
  ],
  ['a manifest without an image', 'image.manifest_invalid', async () => tarOf(replace(await good(), /manifest/, '[]'))],
  [
    'a manifest that points outside',
    'image.unsafe_path',
    async () => tarOf(replace(await good(), /manifest/, '[{"Config":"../../etc/passwd","Layers":[]}]')),
  ],
  ['no configuration', 'image.manifest_invalid', async () => tarOf(without(await good(), /^[0-9a-f]{64}\.json$/))],
  ['no layer', 'image.layer_missing', async () => tarOf(without(await good(), /layer\.tar$/))],
  [
    'no layer in an OCI layout',
    'image.layer_missing',
    async () => {
      const own = await image();
      return tarOf(without(ociEntries(own), new RegExp(hexOf(own.layers[0] ?? ''))));
    },
  ],
  [
    'two images',
    'image.multiple_images',
    async () => {
      const entries = await good();
      const [one] = JSON.parse(String(entries.find(({ name }) => name === 'manifest.json')?.contents));
      return tarOf(replace(entries, /manifest/, JSON.stringify([one, one])));
    },
  ],
  [
    'two images in an OCI layout',
    'image.multiple_images',
    async () => {
      const [one, two] = [ociEntries(await image()), ociEntries(await image({}, 'other'))];
      const manifests = [one, two].flatMap(
        (entries) => JSON.parse(String(entries.find(({ name }) => name === 'index.json')?.contents)).manifests,
      );
      return tarOf([
        ...without(one, /index\.json/),
        ...two.filter(({ name }) => /blobs\/sha256\/./.test(name)),
        { name: 'index.json', contents: JSON.stringify({ schemaVersion: 2, manifests }) },
      ]);
    },
  ],
  ['a configuration that is not JSON', 'image.config_invalid', () => tarOf(dockerEntries({ layers: [], config: '{' }))],
  [
    'a configuration without layers',
    'image.config_invalid',
    () => docker({ rootfs: { type: 'layers', diff_ids: [] } }),
  ],
  ['a configuration of another shape', 'image.config_invalid', () => docker({ rootfs: 'none' })],
  ['a history of other layers', 'image.config_invalid', () => docker({ history: [{}, {}, {}] })],
  [
    'another configuration than its digest',
    'image.digest_mismatch',
    async () => {
      const own = await image();
      return tarOf(replace(dockerEntries(own), /^[0-9a-f]{64}\.json$/, edit(own.config, '/app', '/bad')));
    },
  ],
  [
    'another layer than the diff_id',
    'image.digest_mismatch',
    async () => docker({}, { blob: () => Buffer.alloc(1024) }),
  ],
  [
    'another layer than its digest',
    'image.digest_mismatch',
    async () => {
      const own = await image();
      const [layer = Buffer.alloc(0)] = own.layers;
      const other = Buffer.from(layer);
      other.write('j', 1024, 'latin1');
      return tarOf(replace(ociEntries(own), new RegExp(hexOf(layer)), other));
    },
  ],
  [
    'a compressed layer under the digest of its contents',
    'image.digest_mismatch',
    async () => {
      const own = await image();
      const [layer = Buffer.alloc(0)] = own.layers;
      const entries = ociEntries(own);
      const size = gzipSync(layer).length;
      const changed = entries.map((entry) => {
        if (entry.name.endsWith(hexOf(layer))) return { ...entry, contents: gzipSync(layer) };
        return entry;
      });
      // The manifest gets the new size, and the index the manifest's new digest: only the layer's digest is wrong.
      return tarOf(resize(changed, layer.length, size));
    },
  ],
  [
    'a size that differs',
    'image.size_mismatch',
    async () => {
      const own = await image();
      return tarOf(resize(ociEntries(own), own.layers[0]?.length ?? 0, 17));
    },
  ],
  [
    'data after a compressed layer',
    'image.not_an_archive',
    async () => docker({}, { blob: (layer) => Buffer.concat([gzipSync(layer), Buffer.from('more')]) }),
  ],
  [
    'a compressed layer that is cut off',
    'image.truncated',
    async () => docker({}, { blob: (layer) => gzipSync(layer).subarray(0, -20) }),
  ],
  ['an image for another architecture', 'image.wrong_platform', () => docker({ architecture: 's390x' })],
  ['an image for another system', 'image.wrong_platform', () => docker({ os: 'windows' })],
  [
    'an OCI layout for another platform',
    'image.wrong_platform',
    async () =>
      tarOf(ociEntries(await image({ architecture: 'arm64' }), { platform: { os: 'linux', architecture: 'arm64' } })),
  ],
  [
    'an OCI layout for a platform that it hides',
    'image.wrong_platform',
    async () => tarOf(ociEntries(await image({ architecture: 'arm64' }))),
  ],
  ['another project’s name', 'image.foreign_tag', () => docker({}, { repoTags: ['skyrun.local/other/web:1'] })],
  [
    'another project’s name beside its own',
    'image.foreign_tag',
    () => docker({}, { repoTags: ['web:1', 'SkyRun.local/other/web:1'] }),
  ],
  [
    'another project’s name in an OCI layout',
    'image.foreign_tag',
    async () => tarOf(ociEntries(await image(), { name: 'skyrun.local/other/web:1' })),
  ],
  [
    'two manifests that differ',
    'image.manifest_invalid',
    async () => tarOf([...(await good()), ...ociEntries(await image({}, 'other'))]),
  ],
  ['a layer with a path that climbs out', 'image.unsafe_path', () => withLayer({ name: '../evil', contents: 'x' })],
  ['a layer with an absolute path', 'image.unsafe_path', () => withLayer({ name: '/etc/passwd', contents: 'x' })],
  [
    'a layer with a link that climbs out',
    'image.unsafe_link',
    () => withLayer({ name: 'a/link', type: 'symlink', linkname: '../../../etc/passwd' }),
  ],
  [
    'a layer with a hard link that climbs out',
    'image.unsafe_link',
    () => withLayer({ name: 'link', type: 'link', linkname: '../../etc/passwd' }),
  ],
  [
    'a layer with a device',
    'image.unsafe_entry',
    () => withLayer({ name: 'dev/sda', type: 'block-device', devmajor: 8, devminor: 0 }),
  ],
  [
    'a layer with too many entries',
    'image.too_many_entries',
    () => withLayer(...Array.from({ length: 250 }, (_, index) => ({ name: `f${index}`, contents: '' }))),
  ],
  [
    'a layer that is not a tar',
    'image.not_an_archive',
    async () => tarOf(dockerEntries(imageOf([randomBytes(2048)], PLATFORM))),
  ],
  [
    'a layer that is a bomb',
    'image.too_large',
    async () => {
      const layer = await tarOf(
        Array.from({ length: 20 }, (_, index) => ({ name: `f${index}`, contents: Buffer.alloc(MIB) })),
      );
      return tarOf(dockerEntries(imageOf([layer], PLATFORM), { blob: gzipSync }));
    },
  ],
  ['a name that is none', 'request.invalid', () => docker({}, { repoTags: [] })],
];

/** Changes the size of a layer in the manifest, and all digests above it. */
function resize(entries: readonly TestEntry[], from: number, to: number): TestEntry[] {
  const manifest = entries.find(({ contents }) => String(contents).includes('"layers":['));
  if (manifest === undefined) throw new Error('no manifest');
  const text = edit(manifest.contents ?? '', `"size":${from}`, `"size":${to}`);
  return entries.map((entry) => {
    if (entry === manifest) return { name: `blobs/sha256/${hexOf(text)}`, contents: text };
    if (entry.name !== 'index.json') return entry;
    const index = JSON.parse(String(entry.contents));
    index.manifests[0].digest = digestOf(text);
    index.manifests[0].size = Buffer.byteLength(text);
    return { ...entry, contents: JSON.stringify(index) };
  });
}

async function problemOf(work: Promise<unknown>): Promise<Problem> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

async function* inChunks(archive: Buffer) {
  for (let at = 0; at < archive.length; at += 65_536) yield archive.subarray(at, at + 65_536);
}

async function expectNothingLeft() {
  const store = registry.db.kysely<Tables>();
  expect(await registry.spooled()).toEqual([]);
  expect(await store.selectFrom('images').selectAll().execute()).toEqual([]);
  expect(await store.selectFrom('image_tags').selectAll().execute()).toEqual([]);
  expect(await store.selectFrom('image_intents').selectAll().execute()).toEqual([]);
  const { rows } = await registry.db.query('select 1 from outbox');
  expect(rows).toEqual([]);
  expect(registry.orchestrator.imported).toEqual([]);
  expect(registry.orchestrator.importCalls).toBe(0);
}

it.each(CASES)('refuses %s as %s and leaves nothing', async (_, code, build) => {
  const archive = await build();
  const query = code === 'request.invalid' ? {} : { name: 'web' };
  const call = { params: { project: 'demo' }, query, stream: inChunks(archive) };
  const problem = await problemOf(registry.client.call(OPERATIONS.uploadImage, call));
  expect(problem).toMatchObject({ code });
  expect(problem.status).toBeGreaterThanOrEqual(400);
  expect(problem.status).toBeLessThan(500);
  expect(problem.detail ?? '').not.toBe('');
  await expectNothingLeft();
});

it('tells a refusal as the last line where progress is asked for', async () => {
  const response = await fetch(`${registry.url}/api/v1/projects/demo/images?name=web`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-tar', accept: 'application/x-ndjson' },
    body: Buffer.from('no archive '.repeat(1000)),
  });
  const lines = (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({ phase: 'failed', problem: { code: 'image.not_an_archive', status: 422 } });
  await expectNothingLeft();
});

it('refuses another media type before it reads anything', async () => {
  const response = await fetch(`${registry.url}/api/v1/projects/demo/images`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(response.status).toBe(415);
  await expectNothingLeft();
});

it('accepts the archive that all the others were made from', async () => {
  const own: TestImage = await image();
  const uploaded = await registry.client.call(OPERATIONS.uploadImage, {
    params: { project: 'demo' },
    stream: inChunks(await tarOf(dockerEntries(own))),
  });
  expect(uploaded.digest).toBe(digestOf(own.config));
});
