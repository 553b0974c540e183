import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pruneBundles } from './prune.ts';

const DAY_MS = 86_400_000;
const NOW = 1_800_000_000_000;
const [fresh, stale, run] = ['a', 'b', 'c'].map((letter) => letter.repeat(32)) as [string, string, string];

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skyrun-bundles-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function bundle(name: string, usedMsAgo: number): Promise<string> {
  const path = join(directory, name);
  await mkdir(path);
  await writeFile(join(path, 'main.js'), 'process.stdout.write("up"); setInterval(() => undefined, 1000);');
  await utimes(path, (NOW - usedMsAgo) / 1000, (NOW - usedMsAgo) / 1000);
  return join(path, 'main.js');
}

test('bundles that nobody started from for a day go, but never one that a process runs from', async () => {
  await bundle(fresh, DAY_MS / 2);
  await bundle(stale, 2 * DAY_MS);
  await bundle('unfinished-x', 2 * DAY_MS);
  await bundle('unfinished-y', 1000);
  await bundle('of-somebody-else', 9 * DAY_MS);
  const process_ = spawn(process.execPath, [await bundle(run, 9 * DAY_MS)], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(process_.stdout, 'data');
    await pruneBundles(directory, { now: NOW });
    expect((await readdir(directory)).sort()).toEqual([fresh, run, 'of-somebody-else', 'unfinished-y']);
  } finally {
    process_.kill('SIGKILL');
    await once(process_, 'exit');
  }
  await pruneBundles(directory, { now: NOW });
  expect(await readdir(directory)).not.toContain(run);
});

test('no process is looked at while there is nothing to remove', async () => {
  await bundle(fresh, 0);
  await pruneBundles(directory, { now: NOW, commands: () => Promise.reject(new Error('looked')) });
  expect(await readdir(directory)).toEqual([fresh]);
});
