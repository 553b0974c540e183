import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** An unprivileged account that a server is run under when the launcher itself is root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface GuardedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Drop to this account before the command starts; null keeps the launcher's own. */
  readonly account?: Account | null;
  /** Signal the kernel sends when the launcher dies, however it dies. */
  readonly deathSignal: NodeJS.Signals;
  /** File descriptor that takes stdout and stderr; output is dropped when absent. */
  readonly output?: number;
}

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface GuardedProcess {
  readonly pid: number;
  /** Resolves once when the process is gone; never rejects. */
  readonly exited: Promise<ExitStatus>;
  running(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** Ask with `signal`, then SIGKILL after `graceMs` milliseconds. Safe to call twice. */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<ExitStatus>;
}

// The parent may die between fork and prctl, which would leave the child without a parent to outlive.
// Comparing the parent's id after prctl closes that gap.
const PARENT_CHECK = '[ "$PPID" = "$1" ] || exit 125; shift; exec "$@"';

/** The argument vector that runs `command` so that it cannot outlive this process. */
export function guardedArguments(command: GuardedCommand, parentPid: number): string[] {
  const account = command.account;
  const drop = account ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'] : [];
  const guard = [...drop, '--pdeathsig', command.deathSignal, '--', '/bin/sh', '-c', PARENT_CHECK, 'sh'];
  return [...guard, String(parentPid), command.command, ...command.args];
}

/**
 * Start a process that the kernel ends when this one dies, even by SIGKILL.
 * @throws Error when `setpriv` (util-linux) or the working directory is missing.
 */
export async function startGuarded(command: GuardedCommand): Promise<GuardedProcess> {
  const output = command.output ?? 'ignore';
  const child: ChildProcess = spawn('setpriv', guardedArguments(command, process.pid), {
    env: { ...command.env },
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    stdio: ['ignore', output, output],
    // Its own process group, so that a Ctrl-C in the terminal reaches the supervisor alone and the order of stopping holds.
    detached: true,
  });
  const exited = new Promise<ExitStatus>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: 127, signal: null }));
  });
  await once(child, 'spawn');
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${command.command} has no process id`);
  const running = (): boolean => child.exitCode === null && child.signalCode === null;

  return {
    pid,
    exited,
    running,
    signal: (signal) => {
      child.kill(signal);
    },
    stop: async (signal, graceMs) => {
      if (running()) child.kill(signal);
      const done = new AbortController();
      const force = sleep(graceMs, undefined, { signal: done.signal }).then(
        () => child.kill('SIGKILL'),
        () => false,
      );
      const status = await exited;
      done.abort();
      await force;
      return status;
    },
  };
}
