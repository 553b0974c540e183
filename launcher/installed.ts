/**
 * Ends with 0 when what is in node_modules is what package-lock.json asks for, so that a pull which only moved a
 * dependency between packages does not cost a fresh installation. Run by ./skyrun before anything is known to be
 * installed: it imports nothing but Node.
 */
import { existsSync, readFileSync } from 'node:fs';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly resolved?: string;
  readonly optional?: boolean;
}

const ROOT = new URL('..', import.meta.url);

function packagesOf(file: string): Map<string, Locked> {
  const url = new URL(file, ROOT);
  if (!existsSync(url)) return new Map();
  const lock: { packages?: Record<string, Locked> } = JSON.parse(readFileSync(url, 'utf8'));
  return new Map(Object.entries(lock.packages ?? {}).filter(([path]) => path.includes('node_modules/')));
}

const wanted = packagesOf('package-lock.json');
const installed = packagesOf('node_modules/.package-lock.json');

/** Only what is optional may be missing: it is for other machines. */
function fits([path, locked]: [string, Locked]): boolean {
  const there = installed.get(path);
  if (there === undefined) return locked.optional === true;
  return there.version === locked.version && there.integrity === locked.integrity && there.link === locked.link;
}

process.exitCode = installed.size > 0 && [...wanted].every(fits) ? 0 : 1;
