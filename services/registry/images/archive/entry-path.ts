import { Problem } from '@skyrun/contracts';

const MAX_PATH = 4096;

export interface PathRules {
  /** What to call the archive in an error. */
  readonly label: string;
  /** Files in layers may have one in their name (systemd's units do); files of the archive have no reason to. */
  readonly allowBackslash: boolean;
}

/**
 * The path of an entry without `./` and trailing slashes; empty for the root itself.
 * @throws Problem `image.unsafe_path` for one that leaves the archive or that two systems would read differently
 */
export function safePath(path: string, { label, allowBackslash }: PathRules): string {
  const reason = unsafeReason(path, allowBackslash);
  if (reason !== null) {
    throw new Problem('image.unsafe_path', {
      detail: `${label}: the path ${quoted(path)} ${reason}`,
    });
  }
  return path
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');
}

function unsafeReason(path: string, allowBackslash: boolean): string | null {
  if (path === '') return 'is empty';
  if (path.length > MAX_PATH) return `is longer than ${MAX_PATH} characters`;
  if (path.startsWith('/')) return 'is absolute';
  if (path.includes('\0')) return 'holds a NUL';
  if (!allowBackslash && path.includes('\\')) return 'holds a backslash';
  if (path.split('/').includes('..')) return 'climbs out with ".."';
  return null;
}

/** A path or link as it may stand in an error: bounded, and without control characters. */
export function quoted(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}

/** Where a path inside a root leads, following `.` and `..` by name; null when it climbs above the root. */
export function resolveInside(directory: string, target: string): string | null {
  const segments = directory === '' ? [] : directory.split('/');
  for (const segment of target.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') {
      if (segments.pop() === undefined) return null;
      continue;
    }
    segments.push(segment);
  }
  return segments.join('/');
}

export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}
