import { randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { canEnter } from './account.ts';
import type { Account } from './guarded.ts';

/**
 * The directory that a server under `account` keeps its data in. Mostly `wanted` itself. Below a folder that only root
 * can enter (a clone in /root) it is a folder in `shared`, and `wanted` becomes a link to it, so that what belongs to an
 * installation is still found, and forgotten, with its data directory.
 */
export function dataPlace(wanted: string, account: Account | null, shared: string): string {
  mkdirSync(dirname(wanted), { recursive: true });
  const link = linkTarget(wanted);
  if (link !== null && existsSync(link)) return link;
  if (link === null && (existsSync(wanted) || canEnter(account, dirname(wanted)))) return wanted;

  const places = join(shared, 'data');
  mkdirSync(places, { recursive: true, mode: 0o755 });
  sweep(places);
  const place = join(places, randomBytes(8).toString('hex'));
  mkdirSync(place, { mode: 0o755 });
  writeFileSync(join(place, 'owner'), wanted);
  rmSync(wanted, { force: true });
  symlinkSync(join(place, 'files'), wanted);
  mkdirSync(join(place, 'files'));
  return join(place, 'files');
}

/** Data whose installation was deleted: nothing links to it any more. */
function sweep(places: string): void {
  for (const name of readdirSync(places)) {
    const place = join(places, name);
    const ownerFile = join(place, 'owner');
    if (!existsSync(ownerFile)) continue;
    if (linkTarget(readFileSync(ownerFile, 'utf8')) !== join(place, 'files'))
      rmSync(place, { recursive: true, force: true });
  }
}

function linkTarget(path: string): string | null {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : null;
}
