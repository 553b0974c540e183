import { setTimeout as sleep } from 'node:timers/promises';
import type { Layout } from '../layout.ts';
import { isRunning } from '../process-id.ts';
import { readState, type SupervisorState } from '../supervisor/state.ts';
import type { Progress } from './progress.ts';

/** The state of a supervisor that runs, else null: a file left by a killed one is not believed. */
export function runningState(layout: Layout): SupervisorState | null {
  const state = readState(layout.state);
  return state !== null && isRunning(state.supervisor) ? state : null;
}

/** Wait for a supervisor that is on its way out; what it stops must not meet what the next one starts. */
export async function settledState(layout: Layout, progress: Progress): Promise<SupervisorState | null> {
  const ending = (): boolean => ['stopping', 'stopped', 'failed'].includes(runningState(layout)?.phase ?? '');
  if (ending()) {
    await progress.step('wait for the last run to end', async () => {
      while (ending()) await sleep(30);
    });
  }
  return runningState(layout);
}

/**
 * Show each process becoming ready until all are.
 * @param supervisor the process id whose state is believed: the file may still be that of the run before
 * @param ended whether that process has ended
 * @throws Error with the supervisor's own reason when it gives up
 */
export async function followStart(
  layout: Layout,
  progress: Progress,
  supervisor: number,
  ended: () => boolean,
): Promise<SupervisorState> {
  const shown = new Set<string>();
  return progress.step('start the platform', async (note) => {
    for (;;) {
      const over = ended();
      const written = readState(layout.state);
      const current = written?.supervisor.pid === supervisor ? written : null;
      if (current?.phase === 'failed') throw new Error(current.reason ?? 'the supervisor gave up');
      for (const process of current?.processes ?? []) if (process.state === 'ready') shown.add(process.name);
      if (current?.phase === 'ready') return current;
      if (over) throw new Error(`the supervisor has ended; its log: ${layout.logs}/supervisor.log`);
      note(waitingFor(current, shown));
      await sleep(30);
    }
  });
}

function waitingFor(state: SupervisorState | null, ready: ReadonlySet<string>): string {
  if (state === null || state.processes.length === 0) return 'preparing';
  const left = state.processes.filter((process) => !ready.has(process.name)).map((process) => process.name);
  return `waiting for ${left.join(', ')}`;
}
