import { type Dirent, readdirSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { Clock, Logger } from '@skyrun/kit/base';
import { type OwnAnswer, problemAnswer, textAnswer } from '../pipeline/answer.ts';
import type { RequestHead } from '../pipeline/request-head.ts';
import { Asset } from './asset.ts';

const LOOK_EVERY_MS = 2000;

const NOT_BUILT = `Skyrun runs, but its web page is not built.

Build it with:   ./skyrun up        (builds it where it is missing)
The API answers under /api/v1, and ./skyrun help shows the command line.
`;

/**
 * The files of the built UI. Nothing is read before somebody asks for it, and what was asked for is held in memory: most
 * gateway processes never show the page, which with its compressed forms takes 16 MiB. A new build is noticed by its index.html.
 */
export class Assets {
  #directory: string;
  #logger: Logger;
  #clock: Clock;
  #files: Map<string, Asset> | null = null;
  #builtAt = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking = false;

  constructor(options: { directory: string; clock: Clock; logger: Logger }) {
    this.#directory = options.directory;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  answer(head: RequestHead): OwnAnswer {
    const { method, target } = head.line;
    if (method !== 'GET' && method !== 'HEAD') {
      const answer = problemAnswer('resource.method_not_allowed', { detail: 'The web page is only read.' });
      return { ...answer, fields: `${answer.fields}Allow: GET, HEAD\r\n` };
    }
    const files = this.#current();
    if (files === null) return textAnswer(503, NOT_BUILT, 'Retry-After: 5\r\n');
    const query = target.indexOf('?');
    const path = query === -1 ? target : target.slice(0, query);
    const asset = files.get(path === '/' ? '/index.html' : path) ?? fallback(files, path);
    if (!asset?.read()) return problemAnswer('resource.not_found', { html: head.fields.acceptsHtml });
    for (const needed of asset.needs()) files.get(needed)?.prepare(head.fields.acceptEncoding);
    return asset.deliver(head);
  }

  /** The first who asks waits for the list of files, which is a millisecond; later ones are looked at by the way. */
  #current(): Map<string, Asset> | null {
    const now = this.#clock.monotonic();
    if (this.#files === null) {
      if (now - this.#lookedAt >= LOOK_EVERY_MS) this.#lookNow(now);
    } else if (!this.#looking && now - this.#lookedAt >= LOOK_EVERY_MS) {
      this.#lookedAt = now;
      this.#looking = true;
      this.#look()
        .catch((error: unknown) => this.#logger.error({ error }, 'cannot read the web page'))
        .finally(() => {
          this.#looking = false;
        });
    }
    return this.#files;
  }

  #lookNow(now: number): void {
    this.#lookedAt = now;
    try {
      const index = statSync(join(this.#directory, 'index.html'), { throwIfNoEntry: false });
      if (index === undefined) return;
      this.#take(index.mtimeMs, readdirSync(this.#directory, { recursive: true, withFileTypes: true }));
    } catch (error) {
      this.#logger.error({ error }, 'cannot read the web page');
    }
  }

  async #look(): Promise<void> {
    try {
      const index = await stat(join(this.#directory, 'index.html'));
      if (index.mtimeMs === this.#builtAt) return;
      this.#take(index.mtimeMs, await readdir(this.#directory, { recursive: true, withFileTypes: true }));
    } catch (error) {
      // A build in the making; the last one is shown meanwhile.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }

  #take(builtAt: number, entries: readonly Dirent[]): void {
    const files = new Map<string, Asset>();
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      const path = `/${relative(this.#directory, file).split(sep).join('/')}`;
      files.set(path, new Asset({ path, file, logger: this.#logger }));
    }
    this.#files = files;
    this.#builtAt = builtAt;
    this.#logger.info({ files: files.size }, 'web page found');
  }
}

/** The page routes itself, so a path without a file is the page; a missing file with an extension is missing. */
function fallback(files: ReadonlyMap<string, Asset>, path: string): Asset | undefined {
  return extname(path) === '' ? files.get('/index.html') : undefined;
}
