import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '@skyrun/kit';

/** What was kept for a start without the control plane, as `read` understands it; null where nothing can be read. */
export async function readKept<Kept>(
  path: string,
  { what, read, logger }: { readonly what: string; readonly read: (value: unknown) => Kept; readonly logger: Logger },
): Promise<Kept | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      logger.warn({ path, error }, `cannot read the ${what} on disk`);
    return null;
  }
  try {
    return read(JSON.parse(text));
  } catch (error) {
    logger.warn({ path, error }, `the ${what} on disk are damaged; waiting for the control plane`);
    return null;
  }
}

/** Replaces the file as a whole, so that a crash leaves the old one or the new one. */
export async function keep(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(value));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
