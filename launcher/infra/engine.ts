/**
 * The Docker Engine, where nobody else runs one.
 *
 * A dockerd that we start lives on its own, not below the supervisor: tenants' containers must survive a killed
 * supervisor. A record in the data directory says that it is ours, so that `down` ends it, and the supervisor restarts it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { endProcess, isRunning, type ProcessId, processId } from '../process-id.ts';
import { dockerVersion } from './docker.ts';

export interface EngineOptions {
  readonly socketPath: string;
  /** Where the record of our own dockerd is kept. */
  readonly record: string;
  readonly log: string;
}

/**
 * Start dockerd and wait until it answers.
 * @throws Error when it ends or stays silent for 60 s; its log says why
 */
export async function startEngine(options: EngineOptions): Promise<void> {
  mountControlGroups();
  mkdirSync(dirname(options.log), { recursive: true });
  const output = openSync(options.log, 'a');
  const child = spawn('dockerd', ['--host', `unix://${options.socketPath}`, '--log-level', 'warn'], {
    detached: true,
    stdio: ['ignore', output, output],
    cwd: '/',
  });
  try {
    await once(child, 'spawn');
  } finally {
    closeSync(output);
  }
  child.unref();
  const id = processId(child.pid ?? 0);
  writeFileSync(options.record, JSON.stringify(id));
  for (let waited = 0; waited < 60_000; waited += 100) {
    const answer = await dockerVersion(options.socketPath);
    if (!('error' in answer)) return;
    if (!isRunning(id)) {
      rmSync(options.record, { force: true });
      throw new Error(`dockerd ended; its log: ${options.log}\n${readFileSync(options.log, 'utf8').slice(-1_500)}`);
    }
    await sleep(100);
  }
  throw new Error(`dockerd did not answer within 60 s; its log: ${options.log}`);
}

/** Our dockerd, if we have started one that has not been stopped since; it may have died. */
export function ownEngine(record: string): ProcessId | null {
  if (!existsSync(record)) return null;
  return z.object({ pid: z.int(), start: z.string() }).parse(JSON.parse(readFileSync(record, 'utf8')));
}

/** End the dockerd that we have started; another's is left alone. Resolves with whether there was one. */
export async function stopEngine(record: string): Promise<boolean> {
  const own = ownEngine(record);
  if (own === null) return false;
  await endProcess(own, 'SIGTERM', 30_000);
  rmSync(record, { force: true });
  return true;
}

/** Without systemd nobody mounts the control groups that containers need (Debian: package cgroupfs-mount). */
function mountControlGroups(): void {
  if (/ cgroup2? /.test(readFileSync('/proc/mounts', 'utf8'))) return;
  const mount = (...args: string[]): void => {
    const result = spawnSync('mount', args, { encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`mount ${args.join(' ')} failed: ${result.stderr}`);
  };
  mount('-t', 'tmpfs', '-o', 'uid=0,gid=0,mode=0755', 'cgroup', '/sys/fs/cgroup');
  for (const line of readFileSync('/proc/cgroups', 'utf8').split('\n').slice(1)) {
    const [controller, , , enabled] = line.split('\t');
    if (controller === undefined || enabled !== '1') continue;
    mkdirSync(`/sys/fs/cgroup/${controller}`, { recursive: true });
    mount('-n', '-t', 'cgroup', '-o', controller, 'cgroup', `/sys/fs/cgroup/${controller}`);
  }
}
