import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Clock, systemClock } from '@skyrun/kit';
import type { Runtime } from '../runtime/runtime.ts';

const run = promisify(execFile);

export interface PrivateEngine {
  readonly socketPath: string;
  start(): Promise<void>;
  /** What it has said last, of all its lives. */
  lastWords(): Promise<string>;
  /** SIGKILL: its containers are left to themselves until it starts again. */
  kill(): Promise<void>;
  /** Ends it with its containers, and deletes all of it. */
  remove(): Promise<void>;
}

/** Of a range for documentation: nobody is there. */
const BRIDGE_ADDRESS = '198.51.100.1/30';
const STARTS_WITHIN_MS = 60_000;
const LAST_CHARACTERS = 6_000;

/**
 * A dockerd of our own that may be killed: own data, socket, process ids and default bridge. It writes no packet filter
 * rules, so it does not disturb the machine's engine, and its containers reach the machine only. A bridge of its own,
 * because with `--bridge=none` it would delete `docker0`, which is the machine's engine's.
 */
export async function createPrivateEngine(ping: (socketPath: string) => Pick<Runtime, 'ping'>): Promise<PrivateEngine> {
  const clock: Clock = systemClock;
  const directory = await mkdtemp(join(tmpdir(), 'skyrun-engine-'));
  const socketPath = join(directory, 'socket');
  const place = (name: string) => join(directory, name);
  const bridge = `sky-${process.pid}`;
  await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
  await run('ip', ['address', 'add', BRIDGE_ADDRESS, 'dev', bridge]);
  const output = await open(place('log'), 'a');
  let child: ChildProcess | undefined;

  function spawnEngine(): ChildProcess {
    const own = ['--data-root', place('data'), '--exec-root', place('exec'), '--pidfile', place('pid')];
    const apart = ['--host', `unix://${socketPath}`, `--bridge=${bridge}`, '--iptables=false', '--ip-masq=false'];
    const flags = [...own, ...apart, '--log-level', 'warn'];
    return spawn('dockerd', flags, { stdio: ['ignore', output.fd, output.fd] });
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async function start(): Promise<void> {
    child = spawnEngine();
    const until = clock.monotonic() + STARTS_WITHIN_MS;
    for (;;) {
      try {
        await ping(socketPath).ping();
        return;
      } catch (error) {
        if (clock.monotonic() > until) throw new Error('the private engine does not answer', { cause: error });
        await clock.sleep(100);
        // After a SIGKILL the first start may end at once, on what the last one left; service managers start it again.
        if (child.exitCode !== null) child = spawnEngine();
      }
    }
  }

  /**
   * Its containerd ends with it. Until somebody reaps it, which a machine's first process may take seconds for, an engine
   * that starts would take it for one that runs, wait 15 s for its answer and end.
   */
  async function forgetContainerd(): Promise<void> {
    const file = place('exec/containerd/containerd.pid');
    const pid = Number(await readFile(file, 'utf8').catch(() => '0'));
    if (pid === 0) return;
    const until = clock.monotonic() + STARTS_WITHIN_MS;
    while (await runs(pid)) {
      if (clock.monotonic() > until) throw new Error(`the killed engine's containerd, process ${pid}, still runs`);
      await clock.sleep(20);
    }
    await rm(file);
  }

  return {
    socketPath,
    start,
    async kill() {
      await end('SIGKILL');
      await forgetContainerd();
    },
    lastWords: async () => (await readFile(place('log'), 'utf8')).slice(-LAST_CHARACTERS),
    async remove() {
      await end('SIGTERM');
      await killUsersOf(directory);
      await run('ip', ['link', 'delete', bridge]);
      await output.close();
      await unmount(place('data'));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What a killed engine has started and left: its containerd, a shim for each container, and what those run. */
export async function killUsersOf(directory: string): Promise<void> {
  const processes: { pid: number; parent: number; ours: boolean }[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    // A process may end while it is looked at.
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    const status = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const parent = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1]);
    processes.push({ pid: Number(entry), parent, ours: command.includes(directory) });
  }
  const ours = new Set(processes.filter((each) => each.ours).map(({ pid }) => pid));
  for (const { pid, parent } of processes) {
    if (ours.has(pid) || ours.has(parent)) killIfThere(pid);
  }
}

/** Not where it is gone, or has ended and is not reaped yet. */
async function runs(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return status !== '' && !/\) [ZX] /.test(status);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself in the meantime.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** A dockerd that was killed leaves its data mounted on itself, once for each time that it was started. */
async function unmount(path: string): Promise<void> {
  for (;;) {
    try {
      await run('umount', ['--recursive', path]);
    } catch {
      // Not mounted any more: what is left of it shows when the folder is deleted.
      return;
    }
  }
}
