import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '@skyrun/contracts';

const SUFFIX = '.upload';

/** A file that lives as long as one upload. */
export interface SpoolFile {
  readonly handle: FileHandle;
  readonly path: string;
  /** Closes and removes it; may be called twice. */
  dispose(): Promise<void>;
}

/** The folder where uploads wait while they are validated. Only one process may use it. */
export interface Spool {
  /** Creates the folder and removes what a crash left in it; answers how many files. */
  prepare(): Promise<number>;
  create(): Promise<SpoolFile>;
  /** @throws Problem `platform.disk_full` */
  requireSpace(minFreeBytes: number): Promise<void>;
}

export function createSpool(directory: string): Spool {
  return {
    async prepare() {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const left = (await readdir(directory)).filter((name) => name.endsWith(SUFFIX));
      await Promise.all(left.map((name) => rm(join(directory, name), { force: true })));
      return left.length;
    },
    async create() {
      const path = join(directory, `${randomUUID()}${SUFFIX}`);
      const handle = await open(path, 'wx+', 0o600).catch((error: unknown) => {
        throw diskProblem(error) ?? error;
      });
      let disposed = false;
      return {
        handle,
        path,
        async dispose() {
          if (disposed) return;
          disposed = true;
          await handle.close();
          await rm(path, { force: true });
        },
      };
    },
    async requireSpace(minFreeBytes) {
      const { bavail, bsize } = await statfs(directory);
      if (bavail * bsize < minFreeBytes) {
        throw new Problem('platform.disk_full', { detail: 'The disk that holds uploads is almost full' });
      }
    },
  };
}

/** The problem behind an error of the file system; null where the error is another one. */
export function diskProblem(error: unknown): Problem | null {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EFBIG') return null;
  return new Problem('platform.disk_full', { detail: 'The disk that holds uploads is full', cause: error });
}
