import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { operatorEnvironment } from '../environment.ts';

const POLICY = '/usr/sbin/policy-rc.d';
const MARK = '# written by skyrun while it installs packages';

/**
 * Install Debian packages without a question and without starting the daemons that come with them.
 * @throws Error with the end of apt's output, which `log` has in full
 */
export async function aptInstall(
  packages: readonly string[],
  log: string,
  note: (detail: string) => void,
): Promise<void> {
  mkdirSync(dirname(log), { recursive: true });
  const forbid = forbidDaemons();
  try {
    const install = ['install', '-y', '--no-install-recommends', ...packages];
    note('apt-get install');
    if ((await aptGet(install, log)) === 0) return;
    // No package lists yet, or lists that name versions which the mirror no longer has.
    note('apt-get update');
    if ((await aptGet(['update'], log)) !== 0) throw failure('apt-get update', log);
    note('apt-get install');
    if ((await aptGet(install, log)) !== 0) throw failure(`apt-get install ${packages.join(' ')}`, log);
  } finally {
    forbid.undo();
  }
}

/**
 * Debian's maintainer scripts ask policy-rc.d before they start a daemon; 101 is "forbidden". A policy that the machine
 * already has is left as it is. A killed run leaves ours behind, which the next one takes over and removes.
 */
function forbidDaemons(): { undo(): void } {
  if (existsSync(POLICY) && !readFileSync(POLICY, 'utf8').includes(MARK)) return { undo: () => undefined };
  writeFileSync(POLICY, `#!/bin/sh\n${MARK}\nexit 101\n`, { mode: 0o755 });
  const undo = (): void => rmSync(POLICY, { force: true });
  process.once('exit', undo);
  return {
    undo: () => {
      undo();
      process.off('exit', undo);
    },
  };
}

function aptGet(args: readonly string[], log: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const output = openSync(log, 'a');
    const options = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Options::=--force-confold', '-qq'];
    const child = spawn('apt-get', [...options, ...args], {
      stdio: ['ignore', output, output],
      env: {
        ...operatorEnvironment(),
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        DEBIAN_FRONTEND: 'noninteractive',
        LC_ALL: 'C',
      },
    });
    closeSync(output);
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function failure(what: string, log: string): Error {
  return new Error(`${what} failed; its log (${log}) ends with:\n${readFileSync(log, 'utf8').slice(-1_500)}`);
}
