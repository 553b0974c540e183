import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Clock, Logger } from '@skyrun/kit';
import { type OwnAnswer, problemAnswer, textAnswer } from '../pipeline/answer.ts';
import type { RequestHead } from '../pipeline/request-head.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};
const COMPRESSIBLE = /^(text\/|application\/(json|manifest)|image\/svg)/;
const MIN_COMPRESSED_BYTES = 1024;
const LOOK_EVERY_MS = 2000;
/** File names that carry a hash of their contents: whoever has one has it for ever. */
const HASHED = /^\/assets\/.*[-.][A-Za-z0-9_-]{8,}\.\w+$/;

const compressGzip = promisify(gzip);
const compressBrotli = promisify(brotliCompress);

interface Asset {
  readonly fields: string;
  readonly etag: string;
  readonly body: Buffer;
  readonly gzip: Buffer | null;
  readonly brotli: Buffer | null;
}

const NOT_BUILT = `Skyrun runs, but its web page is not built.

Build it with:   ./skyrun up        (builds it where it is missing)
The API answers under /api/v1, and ./skyrun help shows the command line.
`;

/** The files of the built UI, held in memory; a new build is noticed by its index.html. */
export class Assets {
  #directory: string;
  #logger: Logger;
  #clock: Clock;
  #files = new Map<string, Asset>();
  #builtAt = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #loading = false;

  constructor(options: { directory: string; clock: Clock; logger: Logger }) {
    this.#directory = options.directory;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  async start(): Promise<void> {
    await this.#look();
  }

  answer(head: RequestHead): OwnAnswer {
    this.#lookSoon();
    const { method, target } = head.line;
    if (method !== 'GET' && method !== 'HEAD') {
      const answer = problemAnswer('resource.method_not_allowed', { detail: 'The web page is only read.' });
      return { ...answer, fields: `${answer.fields}Allow: GET, HEAD\r\n` };
    }
    if (this.#files.size === 0) return textAnswer(503, NOT_BUILT, 'Retry-After: 5\r\n');
    const query = target.indexOf('?');
    const path = query === -1 ? target : target.slice(0, query);
    const asset = this.#files.get(path === '/' ? '/index.html' : path) ?? this.#fallback(path);
    if (asset === undefined) return problemAnswer('resource.not_found', { html: head.fields.acceptsHtml });
    return deliver(asset, head);
  }

  /** The page routes itself, so a path without a file is the page; a missing file with an extension is missing. */
  #fallback(path: string): Asset | undefined {
    return extname(path) === '' ? this.#files.get('/index.html') : undefined;
  }

  #lookSoon(): void {
    const now = this.#clock.monotonic();
    if (this.#loading || now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#look().catch((error: unknown) => this.#logger.error({ error }, 'cannot read the web page'));
  }

  async #look(): Promise<void> {
    this.#loading = true;
    this.#lookedAt = this.#clock.monotonic();
    try {
      const index = await stat(join(this.#directory, 'index.html'));
      if (index.mtimeMs === this.#builtAt) return;
      this.#files = await load(this.#directory);
      this.#builtAt = index.mtimeMs;
      this.#logger.info({ files: this.#files.size }, 'web page loaded');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    } finally {
      this.#loading = false;
    }
  }
}

function deliver(asset: Asset, head: RequestHead): OwnAnswer {
  const { acceptEncoding, ifNoneMatch } = head.fields;
  if (ifNoneMatch !== '' && ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === asset.etag)) {
    return { status: 304, fields: asset.fields, body: Buffer.alloc(0) };
  }
  if (asset.brotli !== null && /\bbr\b/.test(acceptEncoding)) {
    return { status: 200, fields: `${asset.fields}Content-Encoding: br\r\n`, body: asset.brotli };
  }
  if (asset.gzip !== null && /\bgzip\b/.test(acceptEncoding)) {
    return { status: 200, fields: `${asset.fields}Content-Encoding: gzip\r\n`, body: asset.gzip };
  }
  return { status: 200, fields: asset.fields, body: asset.body };
}

async function load(directory: string): Promise<Map<string, Asset>> {
  const files = new Map<string, Asset>();
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const contents = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return [`/${relative(directory, path).split(sep).join('/')}`, await readFile(path)] as const;
      }),
  );
  for (const [path, body] of contents) files.set(path, await createAsset(path, body));
  return files;
}

async function createAsset(path: string, body: Buffer): Promise<Asset> {
  const type = TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream';
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const caching = HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache';
  const compress = COMPRESSIBLE.test(type) && body.length >= MIN_COMPRESSED_BYTES;
  const page = extname(path) === '.html' ? pageFields(body.toString('utf8')) : '';
  return {
    etag,
    body,
    gzip: compress ? await compressGzip(body) : null,
    brotli: compress ? await compressBrotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }) : null,
    fields:
      `Content-Type: ${type}\r\nETag: ${etag}\r\nCache-Control: ${caching}\r\n` +
      `${compress ? 'Vary: Accept-Encoding\r\n' : ''}X-Content-Type-Options: nosniff\r\n` +
      `Referrer-Policy: same-origin\r\nX-Frame-Options: DENY\r\nCross-Origin-Opener-Policy: same-origin\r\n${page}`,
  };
}

/** Scripts inside the page run only if they are the ones that were built. */
function pageFields(html: string): string {
  const hashes = [...html.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/gi)].map(
    ([, script = '']) => ` 'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  );
  return (
    `Content-Security-Policy: default-src 'self'; script-src 'self'${hashes.join('')}; ` +
    `style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; ` +
    `connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'\r\n` +
    'Permissions-Policy: camera=(), microphone=(), geolocation=()\r\n'
  );
}
