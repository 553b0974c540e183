import { Problem } from '@skyrun/contracts';
import type { ByteSource } from './byte-source.ts';
import { directoryOf, quoted, resolveInside, safePath } from './entry-path.ts';
import type { ArchiveLimits } from './limits.ts';
import { type TarEntry, tarEntries } from './tar-entries.ts';

/** Where a file of the archive lies in the spool. */
export interface Extent {
  readonly offset: number;
  readonly size: number;
}

/** Path → place, for every file of the archive; links are resolved. */
export type ArchiveIndex = ReadonlyMap<string, Extent>;

const LABEL = 'archive';

/**
 * Lists an archive without reading the contents of its files.
 * @throws Problem `image.unsafe_*`, `image.duplicate_entry`, `image.too_many_entries`, `image.too_large` and those of `tarEntries`
 */
export async function indexArchive(source: ByteSource, limits: ArchiveLimits): Promise<ArchiveIndex> {
  const files = new Map<string, Extent>();
  const directories = new Set<string>();
  const links = new Map<string, TarEntry>();
  let entries = 0;
  for await (const entry of tarEntries(source, { label: LABEL, strictEnd: true })) {
    entries += 1;
    if (entries > limits.maxEntries) {
      throw new Problem('image.too_many_entries', { detail: `The archive has more than ${limits.maxEntries} entries` });
    }
    const path = safePath(entry.path, { label: LABEL, allowBackslash: false });
    if (entry.type === 'directory') {
      if (files.has(path) || links.has(path)) throw duplicate(path);
      directories.add(path);
      continue;
    }
    if (files.has(path) || links.has(path) || directories.has(path)) throw duplicate(path);
    if (entry.type === 'symlink' || entry.type === 'hardlink') {
      links.set(path, entry);
      continue;
    }
    if (entry.type !== 'file' || path === '') {
      throw new Problem('image.unsafe_entry', {
        detail: `archive: ${quoted(path)} is a ${entry.type}; only files are allowed`,
      });
    }
    if (entry.size > limits.maxEntryBytes) {
      throw new Problem('image.too_large', {
        detail: `archive: ${quoted(path)} has ${entry.size} bytes; at most ${limits.maxEntryBytes} are allowed`,
      });
    }
    files.set(path, { offset: entry.offset, size: entry.size });
  }
  const resolved = new Map(files);
  for (const [path, link] of links) resolved.set(path, targetOf(path, link, files));
  return resolved;
}

/** `docker save` before 25 writes a layer that two images share once, and links to it. Only that is allowed. */
function targetOf(path: string, link: TarEntry, files: ReadonlyMap<string, Extent>): Extent {
  const base = link.type === 'symlink' ? directoryOf(path) : '';
  const inside =
    link.linkPath.startsWith('/') || link.linkPath.includes('\\') || link.linkPath.includes('\0')
      ? null
      : resolveInside(base, link.linkPath);
  const target = inside === null ? undefined : files.get(inside);
  if (target === undefined) {
    throw new Problem('image.unsafe_link', {
      detail: `archive: ${quoted(path)} links to ${quoted(link.linkPath)}, which is not a file of the archive`,
    });
  }
  return target;
}

function duplicate(path: string): Problem {
  return new Problem('image.duplicate_entry', { detail: `archive: ${quoted(path)} is there twice` });
}
