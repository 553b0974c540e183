import { Problem } from '@skyrun/contracts';
import type { ByteSource } from './byte-source.ts';
import { quoted } from './entry-path.ts';
import { parsePax } from './pax.ts';
import { BLOCK, decodeHeader, isZero, paddingOf, type TarHeader } from './tar-header.ts';

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo';

export interface TarEntry {
  /** As written in the archive: not yet checked. */
  readonly path: string;
  readonly type: TarEntryType;
  /** Bytes of contents; 0 for all but files. */
  readonly size: number;
  readonly linkPath: string;
  /** Where the contents begin. */
  readonly offset: number;
}

export interface TarOptions {
  /** What to call the archive in an error. */
  readonly label: string;
  /** An archive must end with two zero blocks and nothing after them; a layer, whose digest proves it whole, need not. */
  readonly strictEnd: boolean;
}

const TYPES: Readonly<Record<string, TarEntryType>> = {
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

/** Paths longer than any file system takes, and attributes beyond reason, are refused before they are held in memory. */
const MAX_LONG_NAME = 8192;
const MAX_PAX = 1024 * 1024;

interface Overrides {
  path?: string;
  linkPath?: string;
  size?: number;
}

/**
 * Reads a tar archive strictly: what one tool would read one way and another differently is refused.
 * The caller may read an entry's contents from `source` before it asks for the next one.
 * @throws Problem `image.not_an_archive`, `image.truncated`, `image.unsafe_entry`, `image.unsafe_path`
 */
export async function* tarEntries(source: ByteSource, options: TarOptions): AsyncGenerator<TarEntry> {
  let overrides: Overrides = {};
  let globals: Overrides = {};
  for (;;) {
    const at = source.position();
    const block = await source.read(BLOCK);
    if (block.length === 0 && !options.strictEnd && at > 0) return;
    if (block.length < BLOCK) throw truncated(options, 'it ends without an end mark');
    const result = decodeHeader(block);
    if (result.kind === 'zero') return await readEnd(source, options);
    if (result.kind === 'invalid') {
      throw new Problem('image.not_an_archive', {
        detail: `${options.label}: no tar header at byte ${at} (${result.reason}). Upload the output of docker save or an OCI layout.`,
      });
    }
    const { header } = result;
    if (header.type === 'L' || header.type === 'K') {
      const value = stringOf(await readBody(source, header, MAX_LONG_NAME, options));
      overrides = header.type === 'L' ? { ...overrides, path: value } : { ...overrides, linkPath: value };
      continue;
    }
    if (header.type === 'x' || header.type === 'g') {
      const records = paxOverrides(await readBody(source, header, MAX_PAX, options), options);
      if (header.type === 'x') overrides = { ...overrides, ...records };
      else globals = { ...globals, ...records };
      continue;
    }
    const entry = toEntry(header, { ...globals, ...overrides }, source.position(), options);
    overrides = {};
    yield entry;
    await skipTo(source, entry.offset + entry.size + paddingOf(entry.size), options);
  }
}

function toEntry(header: TarHeader, overrides: Overrides, offset: number, options: TarOptions): TarEntry {
  const path = overrides.path ?? header.name;
  const type = TYPES[header.type];
  if (type === undefined) {
    throw new Problem('image.unsafe_entry', {
      detail: `${options.label}: ${quoted(path)} is an entry of type ${JSON.stringify(header.type)}, which is not allowed`,
    });
  }
  // The oldest format marks a directory only by its trailing slash.
  const kind = type === 'file' && path.endsWith('/') ? 'directory' : type;
  const size = overrides.size ?? header.size;
  if (kind !== 'file' && size !== 0) {
    // Some tools give a hard link the size of its target although no contents follow; others let contents follow.
    if (kind !== 'hardlink' && kind !== 'symlink') {
      throw new Problem('image.unsafe_entry', {
        detail: `${options.label}: ${quoted(path)} is a ${kind} with contents`,
      });
    }
  }
  return {
    path,
    type: kind,
    size: kind === 'file' ? size : 0,
    linkPath: overrides.linkPath ?? header.linkName,
    offset,
  };
}

async function readBody(source: ByteSource, header: TarHeader, max: number, options: TarOptions): Promise<Buffer> {
  if (header.size > max) {
    throw new Problem('image.unsafe_path', {
      detail: `${options.label}: an extended header of ${header.size} bytes; at most ${max} are allowed`,
    });
  }
  const body = await source.read(header.size);
  if (body.length < header.size) throw truncated(options, 'it ends inside a header');
  const padding = paddingOf(header.size);
  if ((await source.skip(padding)) < padding) throw truncated(options, 'it ends inside a header');
  return body;
}

function paxOverrides(body: Buffer, options: TarOptions): Overrides {
  const records = parsePax(body);
  if (records === null) {
    throw new Problem('image.not_an_archive', { detail: `${options.label}: a malformed extended header` });
  }
  for (const key of records.keys()) {
    if (key.startsWith('GNU.sparse.')) {
      throw new Problem('image.unsafe_entry', { detail: `${options.label}: sparse entries are not allowed` });
    }
  }
  const path = records.get('path');
  const linkPath = records.get('linkpath');
  const size = records.get('size');
  if (size !== undefined && (!/^[0-9]{1,16}$/.test(size) || Number(size) > Number.MAX_SAFE_INTEGER)) {
    throw new Problem('image.not_an_archive', { detail: `${options.label}: a malformed size` });
  }
  return {
    ...(path === undefined ? {} : { path }),
    ...(linkPath === undefined ? {} : { linkPath }),
    ...(size === undefined ? {} : { size: Number(size) }),
  };
}

async function readEnd(source: ByteSource, options: TarOptions): Promise<void> {
  if (!options.strictEnd) {
    await source.skip(Number.MAX_SAFE_INTEGER);
    return;
  }
  const second = await source.read(BLOCK);
  if (second.length < BLOCK) throw truncated(options, 'its end mark is cut off');
  let rest = second;
  while (rest.length > 0) {
    if (!isZero(rest)) {
      throw new Problem('image.not_an_archive', { detail: `${options.label}: data follows after its end mark` });
    }
    rest = await source.read(64 * 1024);
  }
}

async function skipTo(source: ByteSource, target: number, options: TarOptions) {
  const missing = target - source.position();
  if ((await source.skip(missing)) < missing) throw truncated(options, 'it ends inside an entry');
}

function stringOf(body: Buffer): string {
  return body.toString('utf8').replace(/\0+$/, '');
}

function truncated(options: TarOptions, reason: string): Problem {
  return new Problem('image.truncated', { detail: `${options.label}: ${reason}` });
}
