import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { CliEnvironment } from './environment.ts';

const session = z.object({
  baseUrl: z.url(),
  email: z.string(),
  accessToken: z.string(),
  /** Unix milliseconds. */
  accessTokenEndsAt: z.number(),
  refreshToken: z.string(),
  project: z.string().optional(),
});
export type Session = z.infer<typeof session>;

/** Who is signed in, in a file that only its owner can read. */
export interface SessionStore {
  readonly file: string;
  read(): Promise<Session | null>;
  write(session: Session): Promise<void>;
  remove(): Promise<void>;
}

export function createSessionStore({ homeDir, sessionFile }: CliEnvironment): SessionStore {
  const file = sessionFile ?? join(homeDir, '.config', 'skyrun', 'session.json');
  return {
    file,
    async read() {
      const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      if (text === null) return null;
      const parsed = session.safeParse(parseJson(text));
      return parsed.success ? parsed.data : null;
    },
    async write(value) {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      // Renamed into place, so that a command running beside this one never reads half a file.
      const draft = `${file}.${process.pid}`;
      await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
      await rename(draft, file);
    },
    async remove() {
      await rm(file, { force: true });
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
