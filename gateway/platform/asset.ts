import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from '@skyrun/kit/base';
import type { OwnAnswer } from '../pipeline/answer.ts';
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
/** File names that carry a hash of their contents: whoever has one has it for ever. */
const HASHED = /^\/assets\/.*[-.][A-Za-z0-9_-]{8,}\.\w+$/;

/** What they need is loaded with the first file that is asked for. */
const ENCODERS = {
  br: async (body: Buffer) => {
    const { brotliCompress, constants } = await import('node:zlib');
    return promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
  },
  gzip: async (body: Buffer) => promisify((await import('node:zlib')).gzip)(body),
};
type Encoding = keyof typeof ENCODERS;

interface Contents {
  readonly body: Buffer;
  readonly etag: string;
  readonly fields: string;
  readonly compressible: boolean;
}

/**
 * One file of the web page. It is read when it is first asked for, and compressed beside the requests as its first reader takes
 * it: who comes before that is done gets it as it is.
 */
export class Asset {
  readonly #path: string;
  readonly #file: string;
  readonly #logger: Logger;
  #contents: Contents | null = null;
  /** Null: not ready. */
  #encoded = new Map<Encoding, Buffer | null>();

  constructor(options: { path: string; file: string; logger: Logger }) {
    this.#path = options.path;
    this.#file = options.file;
    this.#logger = options.logger;
  }

  /** False: it has gone. */
  read(): boolean {
    if (this.#contents !== null) return true;
    try {
      this.#contents = contentsOf(this.#path, readFileSync(this.#file));
      return true;
    } catch (error) {
      this.#logger.warn({ error, file: this.#file }, 'a file of the web page cannot be read');
      return false;
    }
  }

  /** Paths of what a page loads at once. */
  needs(): string[] {
    if (this.#contents === null || extname(this.#path) !== '.html') return [];
    const html = this.#contents.body.toString('utf8');
    return Array.from(html.matchAll(/\b(?:src|href)="(\/[^"]+)"/g), ([, path = '']) => path);
  }

  /** Compresses what will be asked for in a moment. */
  prepare(acceptEncoding: string): void {
    if (this.read()) this.#encodedAs(acceptEncoding);
  }

  /** @throws where it was not read */
  deliver(head: RequestHead): OwnAnswer {
    if (this.#contents === null) throw new Error(`${this.#file} was not read`);
    const { acceptEncoding, ifNoneMatch } = head.fields;
    const { etag, fields, body } = this.#contents;
    if (ifNoneMatch !== '' && ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)) {
      return { status: 304, fields, body: Buffer.alloc(0) };
    }
    const encoded = this.#encodedAs(acceptEncoding);
    if (encoded === null) return { status: 200, fields, body };
    return { status: 200, fields: `${fields}Content-Encoding: ${encoded.encoding}\r\n`, body: encoded.body };
  }

  #encodedAs(acceptEncoding: string): { encoding: Encoding; body: Buffer } | null {
    if (this.#contents === null || !this.#contents.compressible) return null;
    const encoding = /\bbr\b/.test(acceptEncoding) ? 'br' : /\bgzip\b/.test(acceptEncoding) ? 'gzip' : null;
    if (encoding === null) return null;
    const encoded = this.#encoded.get(encoding);
    if (encoded === undefined) this.#encode(encoding, this.#contents.body);
    return encoded ? { encoding, body: encoded } : null;
  }

  #encode(encoding: Encoding, body: Buffer): void {
    this.#encoded.set(encoding, null);
    ENCODERS[encoding](body).then(
      (encoded) => this.#encoded.set(encoding, encoded),
      (error: unknown) => this.#logger.warn({ error, file: this.#file }, 'a file of the web page cannot be compressed'),
    );
  }
}

function contentsOf(path: string, body: Buffer): Contents {
  const type = TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream';
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const caching = HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache';
  const compressible = COMPRESSIBLE.test(type) && body.length >= MIN_COMPRESSED_BYTES;
  const page = extname(path) === '.html' ? pageFields(body.toString('utf8')) : '';
  return {
    body,
    etag,
    compressible,
    fields:
      `Content-Type: ${type}\r\nETag: ${etag}\r\nCache-Control: ${caching}\r\n` +
      `${compressible ? 'Vary: Accept-Encoding\r\n' : ''}X-Content-Type-Options: nosniff\r\n` +
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
