import { existsSync, readFileSync } from 'node:fs';

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks from boot to the process's start; empty when it is gone. */
  readonly start: string;
}

export function processId(pid: number): ProcessId {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return { pid, start: '' };
  const stat = readFileSync(file, 'latin1');
  // The second field is the name in brackets and may hold anything, so the fields are counted from the last bracket.
  return { pid, start: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '' };
}

export function isRunning(id: ProcessId): boolean {
  return id.start !== '' && processId(id.pid).start === id.start && !isZombie(id.pid);
}

function isZombie(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return false;
  const stat = readFileSync(file, 'latin1');
  return stat[stat.lastIndexOf(')') + 2] === 'Z';
}

/** Send `signal`, wait `graceMs` milliseconds for the end, then SIGKILL. */
export async function endProcess(id: ProcessId, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  if (!isRunning(id)) return;
  process.kill(id.pid, signal);
  const limit = performance.now() + graceMs;
  while (isRunning(id)) {
    if (performance.now() > limit) {
      process.kill(id.pid, 'SIGKILL');
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
