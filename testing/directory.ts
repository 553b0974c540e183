import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'skyrun-test-';

/** A private directory for one server. Directories whose owner has died are swept here, so killed runs leave no litter. */
export function temporaryDirectory(purpose: string): { path: string; remove(): void } {
  sweep();
  const path = mkdtempSync(join(tmpdir(), PREFIX));
  // Servers under an unprivileged account must be able to pass through; nobody can list it, and what they own inside is 0700.
  chmodSync(path, 0o711);
  writeFileSync(join(path, 'owner'), `${process.pid} ${startOf(process.pid)}`);
  mkdirSync(join(path, purpose), { mode: 0o711 });
  return {
    path: join(path, purpose),
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }),
  };
}

function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(tmpdir(), name);
    const owner = join(path, 'owner');
    // Without the file its owner has just made the directory, or is not one of ours.
    if (!existsSync(owner)) continue;
    const [pid, start] = readFileSync(owner, 'utf8').split(' ');
    if (startOf(Number(pid)) !== start) rmSync(path, { recursive: true, force: true });
  }
}

/** When process `pid` started, in clock ticks since boot: with it, a recycled process id is not mistaken for its predecessor. */
function startOf(pid: number): string {
  const stat = `/proc/${pid}/stat`;
  if (!existsSync(stat)) return '';
  const fields = readFileSync(stat, 'latin1');
  return fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
