import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A bundle that no gateway was started from for so long is of sources that nobody runs any more. */
const UNUSED_MS = 86_400_000;
/** A bundle by its fingerprint, or one that was never finished. */
const BUNDLE = /^(?:[0-9a-f]{32}|unfinished-.+)$/;

/**
 * Removes the bundles of earlier sources. One that was started from within a day stays, as its modification time tells, and so
 * does one that a process runs from, however long: it loads parts of it late.
 * @param now Unix ms
 */
export async function pruneBundles(
  directory: string,
  { now, commands = commandLines }: { readonly now: number; readonly commands?: () => Promise<readonly string[]> },
): Promise<void> {
  const old: string[] = [];
  for (const name of await readdir(directory)) {
    if (BUNDLE.test(name) && now - (await modified(join(directory, name))) > UNUSED_MS) old.push(name);
  }
  if (old.length === 0) return;
  const running = await commands();
  for (const name of old) {
    const path = join(directory, name);
    if (running.some((command) => command.includes(path))) continue;
    await rm(path, { recursive: true, force: true });
  }
}

/** Unix ms; infinite of one that somebody else has just removed. */
async function modified(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => Number.POSITIVE_INFINITY,
  );
}

/** Of all processes of this machine. */
async function commandLines(): Promise<string[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  // One that has ended meanwhile runs nothing.
  return Promise.all(processes.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
}
