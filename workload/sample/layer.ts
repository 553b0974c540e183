import { spawnSync } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';

/** A layer on disk: an uncompressed tar, so its digest is its diff id as well. */
export interface Layer {
  readonly path: string;
  /** `sha256:…` */
  readonly digest: string;
  readonly bytes: number;
}

/** The user the app runs as; the image says so, and the platform keeps it. */
export const APP_USER = '65532:65532';

/** Same bytes every time: an unchanged layer keeps its digest, and the engine keeps its copy. */
const EPOCH = new Date(0);

/** Node and the shared libraries it needs, taken from this machine: nothing has to be pulled from a registry. */
export async function baseLayer(cacheDir: string, node: string): Promise<Layer> {
  const stamp = statSync(node);
  const name = `base-${process.version}-${process.arch}-${stamp.size}-${Math.trunc(stamp.mtimeMs)}`;
  return cachedLayer(cacheDir, name, async (tar) => {
    const libraries = sharedLibraries(node);
    const folders = new Set<string>();
    for (const path of ['/usr/local/bin/node', ...libraries]) {
      for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) folders.add(folder);
    }
    for (const folder of [...folders, '/etc', '/app'].sort()) addFolder(tar, folder, 0o755);
    addFolder(tar, '/tmp', 0o1777);
    addText(tar, '/etc/passwd', 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/app:/sbin/nologin\n');
    addText(tar, '/etc/group', 'root:x:0:\nnonroot:x:65532:\n');
    for (const library of libraries) await addFile(tar, library, realpathSync(library));
    await addFile(tar, '/usr/local/bin/node', node);
  });
}

export async function appLayer(cacheDir: string, script: string): Promise<Layer> {
  const name = `app-${createHash('sha256').update(script).digest('hex').slice(0, 16)}`;
  return cachedLayer(cacheDir, name, (tar) => {
    addText(tar, '/app/main.cjs', script);
  });
}

/** A program of this machine, as it shall be in an image. */
export interface Program {
  /** Absolute path here. */
  readonly source: string;
  /** Absolute path there. */
  readonly path: string;
  readonly mode: number;
}

export async function programLayer(cacheDir: string, programs: readonly Program[]): Promise<Layer> {
  const stamps = programs.map(({ source, path, mode }) => [source, path, mode, statSync(source).mtimeMs].join());
  const name = `programs-${createHash('sha256').update(stamps.join('\n')).digest('hex').slice(0, 16)}`;
  return cachedLayer(cacheDir, name, async (tar) => {
    const libraries = new Set(programs.flatMap(({ source }) => sharedLibraries(source)));
    for (const library of libraries) await addFile(tar, library, realpathSync(library));
    for (const { source, path, mode } of programs) await addFile(tar, path, realpathSync(source), mode);
  });
}

/** Absolute paths of what the dynamic linker loads for `program`, the linker itself included. */
export function sharedLibraries(program: string): string[] {
  const result = spawnSync('ldd', [program], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`ldd ${program} failed: ${result.error?.message ?? result.stderr}`);
  return parseLdd(result.stdout);
}

export function parseLdd(output: string): string[] {
  const missing = output.split('\n').filter((line) => line.includes('not found'));
  if (missing.length > 0) throw new Error(`the machine lacks libraries that Node needs: ${missing.join(', ').trim()}`);
  return output.split('\n').flatMap((line) => /(?:=>\s*|^\s*)(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

async function cachedLayer(cacheDir: string, name: string, fill: (tar: Pack) => Promise<void> | void): Promise<Layer> {
  const path = join(cacheDir, `${name}.tar`);
  const digestFile = `${path}.sha256`;
  if (existsSync(path) && existsSync(digestFile)) {
    return { path, digest: readFileSync(digestFile, 'utf8'), bytes: statSync(path).size };
  }
  mkdirSync(cacheDir, { recursive: true });
  const tar = pack();
  const hash = createHash('sha256');
  // Another build may be making the same layer: each writes its own file, and the last rename wins with equal bytes.
  const partial = `${path}.${process.pid}.partial`;
  await Promise.all([
    pipeline(tar, hashing(hash), createWriteStream(partial)),
    Promise.resolve(fill(tar)).then(() => tar.finalize()),
  ]);
  const digest = `sha256:${hash.digest('hex')}`;
  renameSync(partial, path);
  writeFileSync(digestFile, digest);
  return { path, digest, bytes: statSync(path).size };
}

function hashing(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

function addFolder(tar: Pack, path: string, mode: number): void {
  tar.entry({ name: `${path.slice(1)}/`, type: 'directory', mode, mtime: EPOCH });
}

function addText(tar: Pack, path: string, text: string): void {
  tar.entry({ name: path.slice(1), mode: 0o644, mtime: EPOCH }, text);
}

/** Stream a file of any size into the archive; resolves when all of it is in. */
export async function addFile(tar: Pack, path: string, source: string, mode = 0o755): Promise<void> {
  const entry = tar.entry({ name: path.replace(/^\//, ''), mode, mtime: EPOCH, size: statSync(source).size });
  await pipeline(createReadStream(source, { highWaterMark: 1_048_576 }), entry);
}
