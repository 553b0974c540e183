import { Problem } from '@skyrun/contracts';
import type { ByteSource } from './byte-source.ts';
import { directoryOf, quoted, resolveInside, safePath } from './entry-path.ts';
import type { ArchiveLimits } from './limits.ts';
import { type TarEntry, tarEntries } from './tar-entries.ts';

/**
 * Reads a layer to its end and refuses what the engine should never see. Whiteouts (`.wh.`) are ordinary files here.
 * @returns how many entries it has
 * @throws Problem `image.unsafe_*`, `image.too_many_entries`, `image.too_large` and those of `tarEntries`
 */
export async function scanLayer(
  source: ByteSource,
  label: string,
  limits: ArchiveLimits,
  entriesBefore: number,
): Promise<number> {
  let entries = 0;
  for await (const entry of tarEntries(source, { label, strictEnd: false })) {
    entries += 1;
    if (entriesBefore + entries > limits.maxLayerEntries) {
      throw new Problem('image.too_many_entries', {
        detail: `The layers have more than ${limits.maxLayerEntries} entries`,
      });
    }
    checkEntry(entry, label, limits);
  }
  return entries;
}

function checkEntry(entry: TarEntry, label: string, limits: ArchiveLimits) {
  const path = safePath(entry.path, { label, allowBackslash: true });
  if (entry.type === 'character' || entry.type === 'block') {
    throw new Problem('image.unsafe_entry', {
      detail: `${label}: ${quoted(path)} is a device; images may not hold devices`,
    });
  }
  if (entry.size > limits.maxEntryBytes) {
    throw new Problem('image.too_large', {
      detail: `${label}: ${quoted(path)} has ${entry.size} bytes; at most ${limits.maxEntryBytes} are allowed`,
    });
  }
  if (entry.type !== 'symlink' && entry.type !== 'hardlink') return;
  // An absolute target starts at the container's root, so it cannot leave it; a relative one may climb.
  const base = entry.type === 'symlink' && !entry.linkPath.startsWith('/') ? directoryOf(path) : '';
  if (entry.linkPath === '' || entry.linkPath.includes('\0') || resolveInside(base, entry.linkPath) === null) {
    throw new Problem('image.unsafe_link', {
      detail: `${label}: ${quoted(path)} links to ${quoted(entry.linkPath)}, outside of the image`,
    });
  }
}
