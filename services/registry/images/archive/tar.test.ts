import { Problem } from '@skyrun/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { streamSource } from './byte-source.ts';
import { detectCompression } from './compression.ts';
import { digestInName } from './docker-archive.ts';
import { directoryOf, resolveInside, safePath } from './entry-path.ts';
import { type TestEntry, tarOf } from './image.fixture.ts';
import { DEFAULT_LIMITS, isBomb } from './limits.ts';
import { parsePax } from './pax.ts';
import { type TarEntry, tarEntries } from './tar-entries.ts';
import { BLOCK, decodeHeader, encodeFileHeader, paddingOf } from './tar-header.ts';

async function* pieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(archive: Buffer, size = 777, strictEnd = true): Promise<(TarEntry & { contents: string })[]> {
  const source = streamSource(pieces(archive, size));
  const found: (TarEntry & { contents: string })[] = [];
  for await (const entry of tarEntries(source, { label: 'test', strictEnd })) {
    found.push({ ...entry, contents: (await source.read(Math.min(entry.size, 10))).toString() });
  }
  return found;
}

describe('tar headers', () => {
  it('reads back what it writes, sizes beyond octal too', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9./]{1,99}$/), fc.integer({ min: 0, max: 2 ** 45 }), (name, size) => {
        const result = decodeHeader(encodeFileHeader(name, size));
        expect(result).toEqual({ kind: 'header', header: { name, size, type: '0', linkName: '' } });
      }),
    );
  });

  it('refuses every header of which one bit was changed, unless the change has no meaning', () => {
    const header = encodeFileHeader('file', 5);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 147 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const changed = Buffer.from(header);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(decodeHeader(changed).kind).toBe('invalid');
      }),
    );
  });

  it.each([
    [0, 0],
    [1, 511],
    [511, 1],
    [512, 0],
    [513, 511],
  ])('pads %i bytes by %i', (size, padding) => {
    expect(paddingOf(size)).toBe(padding);
    expect((size + padding) % BLOCK).toBe(0);
  });
});

describe('tarEntries', () => {
  const LONG = `${'deep/'.repeat(60)}file`;
  it.each<[string, TestEntry[], Partial<TarEntry>[]]>([
    [
      'files and directories',
      [
        { name: 'a/', type: 'directory' },
        { name: 'a/b', contents: 'hi' },
      ],
      [
        { path: 'a/', type: 'directory' },
        { path: 'a/b', type: 'file', size: 2 },
      ],
    ],
    [
      'links',
      [
        { name: 's', type: 'symlink', linkname: 't' },
        { name: 'h', type: 'link', linkname: 'u' },
      ],
      [
        { type: 'symlink', linkPath: 't', size: 0 },
        { type: 'hardlink', linkPath: 'u' },
      ],
    ],
    ['long names', [{ name: LONG, contents: 'x' }, { name: 'short' }], [{ path: LONG, size: 1 }, { path: 'short' }]],
    ['names that are not ASCII', [{ name: 'grüße', contents: 'x' }], [{ path: 'grüße' }]],
    [
      'devices and pipes',
      [
        { name: 'c', type: 'character-device' },
        { name: 'b', type: 'block-device' },
        { name: 'f', type: 'fifo' },
      ],
      [{ type: 'character' }, { type: 'block' }, { type: 'fifo' }],
    ],
  ])('reads %s in pieces of any size', async (_, entries, expected) => {
    const archive = await tarOf(entries);
    for (const size of [1, 512, 513, 100_000]) expect(await read(archive, size)).toMatchObject(expected);
  });

  it('gives contents to whoever asks and skips the rest', async () => {
    const found = await read(
      await tarOf([
        { name: 'a', contents: 'x'.repeat(5000) },
        { name: 'b', contents: 'last' },
      ]),
    );
    expect(found.map(({ contents }) => contents)).toEqual(['xxxxxxxxxx', 'last']);
  });

  it('refuses every archive that was cut off, wherever', async () => {
    const archive = await tarOf([
      { name: 'a', contents: 'x'.repeat(700) },
      { name: LONG, contents: 'y' },
    ]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: archive.length - 1 }), async (length) => {
        await expect(read(archive.subarray(0, length))).rejects.toMatchObject({ code: 'image.truncated' });
      }),
    );
  });

  it('lets a layer end without an end mark, but not inside an entry', async () => {
    const archive = await tarOf([{ name: 'a', contents: 'x' }]);
    expect(await read(archive.subarray(0, 1024), 777, false)).toHaveLength(1);
    await expect(read(archive.subarray(0, 900), 777, false)).rejects.toMatchObject({ code: 'image.truncated' });
  });
});

describe('pax', () => {
  it.each<[string, [string, string][] | null]>([
    ['', []],
    ['17 path=a/b/c/de\n', [['path', 'a/b/c/de']]],
    ['8 a=b=c\n7 d=e\n', null],
    [
      '8 a=b=c\n6 d=e\n',
      [
        ['a', 'b=c'],
        ['d', 'e'],
      ],
    ],
    ['18 path=a/b/c/de\n', null],
    ['-6 d=e\n', null],
    ['6 d=e', null],
    ['path=a', null],
  ])('%j', (text, records) => {
    expect(parsePax(Buffer.from(text))).toEqual(records === null ? null : new Map(records));
  });
});

describe('paths', () => {
  const rules = { label: 'test', allowBackslash: false };
  it.each([
    ['a', 'a'],
    ['./a/./b/', 'a/b'],
    ['a//b', 'a/b'],
    ['./', ''],
    ['...', '...'],
    ['..a', '..a'],
  ])('%j is %j', (path, safe) => {
    expect(safePath(path, rules)).toBe(safe);
  });
  it.each(['', '/', '/a', '..', '../a', 'a/..', 'a/../b', 'a\\b', 'a\0', 'a/'.repeat(3000)])(
    '%j is refused',
    (path) => {
      expect(() => safePath(path, rules)).toThrow(Problem);
    },
  );
  it('allows a backslash inside a layer', () => {
    expect(safePath('a\\x2db.slice', { label: 'layer', allowBackslash: true })).toBe('a\\x2db.slice');
  });
  it.each([
    ['a/b', '../c', 'a/c'],
    ['a', '../c', 'c'],
    ['', 'c', 'c'],
    ['a', '../../c', null],
    ['', '..', null],
    ['a', '.', 'a'],
  ])('from %j, %j leads to %j', (directory, target, inside) => {
    expect(resolveInside(directory, target)).toBe(inside);
  });
  it.each([
    ['a', ''],
    ['a/b', 'a'],
    ['a/b/c', 'a/b'],
  ])('%j lies in %j', (path, directory) => {
    expect(directoryOf(path)).toBe(directory);
  });
});

const HEX = 'ab'.repeat(32);
it.each([
  [`${HEX}.json`, true],
  [`${HEX}.tar`, true],
  [`${HEX}.tar.gz`, true],
  [`sha256:${HEX}`, true],
  [`blobs/sha256/${HEX}`, true],
  [`${HEX}/layer.tar`, false],
  ['config.json', false],
  [`x${HEX}.json`, false],
])('the name %s carries a digest: %s', (name, carries) => {
  expect(digestInName(name)).toBe(carries ? `sha256:${HEX}` : null);
});

it.each([
  [Buffer.from([0x1f, 0x8b, 8]), 'gzip'],
  [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), 'zstd'],
  [Buffer.from('manifest'), 'none'],
  [Buffer.alloc(0), 'none'],
])('%j is %s', (start, compression) => {
  expect(detectCompression(start)).toBe(compression);
});

it.each([
  [100, 1_000_000, false],
  [100, DEFAULT_LIMITS.ratioFreeBytes + 1, true],
  [DEFAULT_LIMITS.ratioFreeBytes, 2 * DEFAULT_LIMITS.ratioFreeBytes, false],
])('%i bytes that unpack to %i are a bomb: %s', (compressed, unpacked, bomb) => {
  expect(isBomb(DEFAULT_LIMITS, compressed, unpacked)).toBe(bomb);
});
