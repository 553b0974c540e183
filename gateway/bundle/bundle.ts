import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { fingerprint, systemClock } from '@skyrun/kit/base';
import type { OutputAsset, OutputChunk } from 'rolldown';
import { pruneBundles } from './prune.ts';

/** What the gateway is made of, below the repository. */
const SOURCES = ['gateway', 'shared/bus', 'shared/contracts', 'shared/kit', 'package-lock.json'];
const ENTRY = 'main.js';

/**
 * The gateway as one program, made unless it was made of the same sources before: its file's path.
 *
 * From its sources a gateway loads 460 modules of a megabyte of text, strips their types, and keeps of each a module, a
 * compilation and the text: ten megabytes, and twenty more when there is no compile cache yet. Names and lines stay as they
 * are written, so that a stack trace tells the function; parts that are loaded late stay apart.
 * Several processes may do this at once. Each start marks its bundle as used; making another removes those that nobody used for
 * a day and no process runs from.
 * @throws Error where the bundler is not installed, or does not understand the sources
 */
export async function bundleGateway(root: string): Promise<string> {
  const directory = join(root, 'gateway', 'dist');
  const made = join(directory, fingerprint(SOURCES.map((source) => join(root, source))).slice(0, 32));
  const entry = join(made, ENTRY);
  if (existsSync(entry)) {
    // Where it is another user's, its age is theirs to tell.
    await utimes(made, systemClock.now() / 1000, systemClock.now() / 1000).catch(() => undefined);
    return entry;
  }
  // Loaded here only: a start that finds its bundle needs no bundler.
  const { rolldown } = await import('rolldown');
  await mkdir(directory, { recursive: true });
  const unfinished = await mkdtemp(join(directory, 'unfinished-'));
  try {
    const bundler = await rolldown({
      input: join(root, 'gateway', 'main.ts'),
      cwd: root,
      platform: 'node',
      plugins: [
        { name: 'api-places', load: { filter: { id: /\/platform\/api-places\.ts$/ }, handler: apiPlaces } },
        { name: 'late-tls', transform: { filter: { id: /\/ioredis\/built\/connectors\// }, handler: lateTls } },
        { name: 'narrow', generateBundle: (_options, bundle) => Object.values(bundle).forEach(narrow) },
      ],
    });
    try {
      await bundler.write({ dir: unfinished, format: 'esm', comments: false, entryFileNames: ENTRY });
    } finally {
      await bundler.close();
    }
    await rename(unfinished, made).catch(async (error: unknown) => {
      // Somebody else made it meanwhile.
      if (!existsSync(entry)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  await pruneBundles(directory, { now: systemClock.now() });
  return entry;
}

/** A module that says what it is known to say, in place of one that makes every schema of the API to know it. */
async function apiPlaces(): Promise<string> {
  const { API_PLACES } = await import('../platform/api-places.ts');
  return `export const API_PLACES = ${JSON.stringify(API_PLACES)};`;
}

/** Node's TLS, 2 MiB, is loaded by the first connection to Redis that is encrypted, and not by the client's module. */
function lateTls(code: string): string {
  return code.replace('= require("tls");', '= { connect: (...options) => require("tls").connect(...options) };');
}

/** One character above U+00FF, as a typographic apostrophe, and V8 keeps the whole text of a module with two bytes for each. */
function narrow(part: OutputChunk | OutputAsset): void {
  if (part.type !== 'chunk') return;
  part.code = part.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
