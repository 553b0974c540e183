import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Account } from './guarded.ts';

/**
 * The account servers run under that refuse to be root: null when this process is not root (its own account will do).
 * @throws Error when the machine has no `nobody`.
 */
export function unprivilegedAccount(): Account | null {
  if (process.getuid?.() !== 0) return null;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('nobody:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error('/etc/passwd has no account named nobody');
  return { uid: Number(uid), gid: Number(gid) };
}

/** Whether `account` can execute or enter `path`: asked of the kernel, because modes, ACLs and mounts all have a say. */
export function canEnter(account: Account | null, path: string): boolean {
  const identity = account === null ? {} : { uid: account.uid, gid: account.gid };
  return spawnSync('/usr/bin/test', ['-x', path], { ...identity, cwd: '/', stdio: 'ignore' }).status === 0;
}
