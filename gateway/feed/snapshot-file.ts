import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '@skyrun/kit';
import { type RouteSnapshot, routeSnapshot } from './feed-state.ts';

/** The last good routes on disk, for a start without the control plane. Null when there are none that can be read. */
export async function loadSnapshot(path: string, logger: Logger): Promise<RouteSnapshot | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      logger.warn({ path, error }, 'cannot read the routes on disk');
    return null;
  }
  try {
    return routeSnapshot.parse(JSON.parse(text));
  } catch (error) {
    logger.warn({ path, error }, 'the routes on disk are damaged; waiting for the registry');
    return null;
  }
}

/** Replaces the file as a whole, so that a crash leaves the old one or the new one. */
export async function saveSnapshot(path: string, snapshot: RouteSnapshot): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(snapshot));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
